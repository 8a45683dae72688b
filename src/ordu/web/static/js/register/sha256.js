// SHA-256 (FIPS 180-4) of a text and a number behind it. The browser's own is there over https only, which hordes at
// home have not, and answers so late for each that it would take many times as long.

const LENGTH_MAX = 55; // what fits into one block
const primes = firstPrimes(64);
const START = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const ROUNDS = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));

function firstPrimes(count) {
  const found = [];
  for (let number = 2; found.length < count; number += 1) {
    if (found.every((prime) => number % prime !== 0)) found.push(number);
  }
  return found;
}

/** The first 32 bits behind the point. */
function fraction(root) {
  return Math.floor((root % 1) * 2 ** 32) | 0;
}

/** A function that gives the first 32 bits of the hash of `start` with a number behind it. */
export function hashing(start) {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  const words = new Int32Array(64);
  const { written } = new TextEncoder().encodeInto(start, bytes);
  return (number) => {
    const text = String(number);
    const length = written + text.length;
    if (length > LENGTH_MAX) throw new RangeError("the text is too long");
    for (let at = 0; at < text.length; at += 1) bytes[written + at] = text.charCodeAt(at);
    bytes[length] = 0x80;
    bytes.fill(0, length + 1, 63);
    view.setUint16(62, length * 8);
    for (let at = 0; at < 16; at += 1) words[at] = view.getInt32(at * 4);
    return firstWord(words);
  };
}

/** The first word of the hash of one block. */
function firstWord(words) {
  for (let at = 16; at < 64; at += 1) {
    const near = words[at - 15];
    const far = words[at - 2];
    const mixed = ((near >>> 7) | (near << 25)) ^ ((near >>> 18) | (near << 14)) ^ (near >>> 3);
    const mixedFar = ((far >>> 17) | (far << 15)) ^ ((far >>> 19) | (far << 13)) ^ (far >>> 10);
    words[at] = (words[at - 16] + mixed + words[at - 7] + mixedFar) | 0;
  }
  let [a, b, c, d, e, f, g, h] = START;
  for (let at = 0; at < 64; at += 1) {
    const turned = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + turned + ((e & f) ^ (~e & g)) + ROUNDS[at] + words[at]) | 0;
    const turnedBack = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (turnedBack + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  return (START[0] + a) | 0;
}
