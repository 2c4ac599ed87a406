/**
 * Page size and clock ticks from the auxiliary vector the kernel gave this process: pairs of
 * machine words, ended by a zero key.
 *
 * Source: getauxval(3); AT_PAGESZ 6, AT_CLKTCK 17.
 */
import fs from 'node:fs';

const AT_PAGESZ = 6;
const AT_CLKTCK = 17;

export interface MachineUnits {
  readonly pageBytes: number;
  readonly ticksPerSecond: number;
}

/** The words are 8 bytes on the 64-bit machines Node runs on, else 4. */
export function parseAuxv(auxv: Buffer, wordBytes: 4 | 8, littleEndian: boolean): MachineUnits {
  const view = new DataView(auxv.buffer, auxv.byteOffset, auxv.byteLength);
  const word = (at: number): number =>
    wordBytes === 8
      ? Number(view.getBigUint64(at, littleEndian))
      : view.getUint32(at, littleEndian);
  let pageBytes = Number.NaN;
  let ticksPerSecond = Number.NaN;
  for (let at = 0; at + 2 * wordBytes <= auxv.length; at += 2 * wordBytes) {
    if (word(at) === AT_PAGESZ) pageBytes = word(at + wordBytes);
    if (word(at) === AT_CLKTCK) ticksPerSecond = word(at + wordBytes);
  }
  return { pageBytes, ticksPerSecond };
}

/** Of this machine. 4,096 and 100, what Linux has nearly everywhere, where the vector is hidden. */
export function machineUnits(): MachineUnits {
  const wordBytes = process.arch === 'arm' || process.arch === 'ia32' ? 4 : 8;
  const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  const { pageBytes, ticksPerSecond } = parseAuxv(readAuxv(), wordBytes, littleEndian);
  return { pageBytes: pageBytes || 4_096, ticksPerSecond: ticksPerSecond || 100 };
}

function readAuxv(): Buffer {
  try {
    return fs.readFileSync('/proc/self/auxv');
  } catch {
    return Buffer.alloc(0);
  }
}
