// A ZIP file of blobs, stored as they are: pictures are packed already.

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1;
  return byte;
});

/** A ZIP of files, each {name, blob}; less than 4 GB in all. */
export async function zip(files) {
  const parts = [];
  const index = [];
  let at = 0;
  for (const { name, blob } of files) {
    const path = new TextEncoder().encode(name);
    const sum = crc(new Uint8Array(await blob.arrayBuffer()));
    // version 2.0, names are UTF-8, stored, 1 January 1980
    const about = [[20, 2], [0x800, 2], [0, 2], [0, 2], [33, 2], [sum, 4], [blob.size, 4], [blob.size, 4], [path.length, 2], [0, 2]];
    const head = bytes([0x04034b50, 4], ...about);
    parts.push(head, path, blob);
    index.push(bytes([0x02014b50, 4], [20, 2], ...about, [0, 2], [0, 2], [0, 2], [0, 4], [at, 4]), path);
    at += head.length + path.length + blob.size;
  }
  const length = index.reduce((all, part) => all + part.length, 0);
  const end = bytes([0x06054b50, 4], [0, 4], [files.length, 2], [files.length, 2], [length, 4], [at, 4], [0, 2]);
  return new Blob([...parts, ...index, end], { type: "application/zip" });
}

function bytes(...numbers) {
  return Uint8Array.from(numbers.flatMap(([value, size]) => Array.from({ length: size }, (_, place) => (value >>> (8 * place)) & 255)));
}

function crc(data) {
  let sum = -1;
  for (const byte of data) sum = CRC[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ -1) >>> 0;
}
