import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { codes } from '../../../src/errors.ts';
import { toProblem, useNotFoundProblem, useProblems } from '../../../src/http/problem.ts';

function app() {
  const made = Fastify({ bodyLimit: 100 });
  useProblems(made);
  useNotFoundProblem(made);
  made.get('/ours', async () => {
    throw new codes.MEM_CONFLICT('100 % taken');
  });
  made.get('/broken', async () => {
    throw new Error('/etc/secret/path exploded');
  });
  made.post('/body', async () => 'ok');
  return made;
}

describe('problems', () => {
  it('carry our code, our words and the type', async () => {
    const answer = await app().inject('/ours');
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.json()).toMatchObject({
      status: 409,
      title: 'Conflict',
      code: 'MEM_CONFLICT',
      detail: '100 % taken',
    });
  });

  it('tell nothing of what broke inside', async () => {
    const answer = await app().inject('/broken');
    expect(answer.statusCode).toBe(500);
    expect(answer.json().code).toBe('MEM_INTERNAL');
    expect(answer.body).not.toContain('secret');
  });

  it.each([
    ['not json', '{', 'application/json', 400, 'MEM_BAD_REQUEST'],
    ['too much', JSON.stringify('x'.repeat(200)), 'application/json', 413, 'MEM_BODY_TOO_LARGE'],
    ['XML', '<a/>', 'application/xml', 415, 'MEM_UNSUPPORTED_MEDIA_TYPE'],
  ])('name a body that is %s', async (_what, payload, type, status, code) => {
    const answer = await app().inject({
      method: 'POST',
      url: '/body',
      payload,
      headers: { 'content-type': type },
    });
    expect(answer.statusCode).toBe(status);
    expect(answer.json().code).toBe(code);
  });

  it('answer an unknown path, without its query', async () => {
    const answer = await app().inject('/nowhere?token=secret');
    expect(answer.json()).toMatchObject({ status: 404, code: 'MEM_NOT_FOUND' });
    expect(answer.body).not.toContain('secret');
  });

  it('list every issue of a body that is not as documented', () => {
    const error = Object.assign(new Error('bad'), {
      validationContext: 'body',
      validation: [{ instancePath: '/pid', message: 'must be integer' }],
    });
    expect(toProblem(error as never)).toMatchObject({
      status: 400,
      code: 'MEM_BAD_REQUEST',
      detail: 'body/pid must be integer',
      errors: [{ pointer: 'body/pid', detail: 'must be integer' }],
    });
  });
});
