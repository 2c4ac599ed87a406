/** What every route plugin receives, and the typed Fastify instance they work on. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Policy } from '../policy/policy.ts';
import * as Type from '../typebox.ts';
import type { Warden } from '../warden.ts';

export interface RouteScope {
  readonly warden: Warden;
  readonly version: string;
  /** reads the policy again from where it came; throws MEM_POLICY_* when it is bad */
  readonly reloadPolicy: () => Policy;
}

export type TypedApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Every refusal has the one shape; spread into `response`. */
export const problems = {
  '4xx': Type.Ref('MemwardenProblem'),
  '5xx': Type.Ref('MemwardenProblem'),
} as const;

/** `?target=` as most reads take it. */
export const TargetQuery = Type.Object(
  {
    target: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'A target, `self` or `system`; default: the first of the policy, else self',
      }),
    ),
  },
  { additionalProperties: false },
);
