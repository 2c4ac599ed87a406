import { MAX_NUMBER_BYTES, writeNumber } from './exposition-number.ts';

/** Bytes that are written from the start to the end, over and over, in one buffer that is kept. */
export interface Page {
  clear(): void;
  write(bytes: Uint8Array): void;
  /** `prefix`, the number, which is not NaN, and the end of the line. */
  writeLine(prefix: Uint8Array, value: number): void;
  /** What was written since `clear`, as UTF-8; a copy. */
  text(): string;
}

const NEWLINE = 10;
const FIRST_BYTES = 4096;

/** An empty page. Its buffer doubles when it is full and never shrinks. */
export function createPage(): Page {
  let buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  let end = 0;

  const reserve = (bytes: number): void => {
    if (end + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, end + bytes));
    larger.set(buffer.subarray(0, end));
    buffer = larger;
  };

  const write = (bytes: Uint8Array): void => {
    reserve(bytes.length);
    buffer.set(bytes, end);
    end += bytes.length;
  };

  return {
    clear() {
      end = 0;
    },
    write,
    writeLine(prefix, value) {
      write(prefix);
      reserve(MAX_NUMBER_BYTES + 1);
      end = writeNumber(value, buffer, end);
      buffer[end++] = NEWLINE;
    },
    text: () => buffer.toString('utf8', 0, end),
  };
}
