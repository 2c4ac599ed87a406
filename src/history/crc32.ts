const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb8_8320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** CRC-32 of ISO 3309, as in gzip and PNG: polynomial 0xEDB88320, reflected, inverted at both ends. */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let at = 0; at < bytes.length; at++) {
    crc = TABLE[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
