// Solves a challenge, in a worker: tells the number of one part after the other.
import { hashing } from "./sha256.js";

onmessage = ({ data: { challenge, parts, bits } }) => {
  for (let part = 0; part < parts; part += 1) postMessage(solved(`${challenge}.${part}.`, bits));
};

/** The first number behind this text with which its hash begins with so many zero bits, 32 at most. */
function solved(start, bits) {
  const hashed = hashing(start);
  for (let number = 0; ; number += 1) {
    if (bits === 0 || hashed(number) >>> (32 - bits) === 0) return number;
  }
}
