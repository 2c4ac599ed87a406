/**
 * What is used of TypeBox. All of it is 680 modules, which cost the service 23 MB and half of its start;
 * the build folds this file and what it needs into one (scripts/build.mjs).
 */
export {
  Array,
  Boolean,
  Enum,
  Integer,
  Literal,
  Null,
  Number,
  Object,
  Optional,
  Record,
  Ref,
  Refine,
  type Static,
  String,
  type TSchema,
  Union,
  Unsafe,
} from 'typebox';
export { Check, Default } from 'typebox/value';
