/** What the shapes on the wire are made of. JSON has no NaN: an unknown number is null. */
import type { TSchema } from 'typebox';
import * as Type from '../typebox.ts';

export const num = (description: string) =>
  Type.Unsafe<number | null>({ type: ['number', 'null'], description });
export const text = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description });
export const time = (description: string) => Type.String({ format: 'date-time', description });
export const maybeTime = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time', description });
export const numbers = (description: string) =>
  Type.Unsafe<Record<string, number | null>>({
    type: 'object',
    additionalProperties: { type: ['number', 'null'] },
    description,
  });
/** A schema that may be null, without losing the static type. */
export const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
