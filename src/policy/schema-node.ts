import type { TSchema } from 'typebox';
import { policySchema } from './schema.ts';

/**
 * A TypeBox type seen as the JSON Schema it is, for those who walk it: the check of a file's shape,
 * the template and the reference page.
 */
export interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** of a mapping with free names: one pattern and the type of its values */
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
  readonly default?: unknown;
  /** shown in the template in place of an empty default */
  readonly example?: unknown;
  readonly description?: string;
  /** what an error says was expected */
  readonly expected?: string;
  /** the same for this very value, where there is more to say; null where there is not */
  readonly expectedOf?: (value: unknown) => string | null;
  readonly expectedKey?: string;
  /** a list that is checked and told as one value */
  readonly leaf?: boolean;
}

export const rootNode: SchemaNode = policySchema as SchemaNode;

/** The TypeBox type a node is, to check a value against. */
export function typeOf(node: SchemaNode): TSchema {
  return node as TSchema;
}
