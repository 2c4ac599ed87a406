/**
 * Freezes a value and all it holds. A Map keeps its write methods, so it is only frozen within; a
 * RegExp is left alone, as matching writes its `lastIndex`.
 */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof RegExp || Object.isFrozen(value)) return value;
  const children = value instanceof Map ? value.values() : Object.values(value);
  for (const child of children) deepFreeze(child);
  return Object.freeze(value);
}
