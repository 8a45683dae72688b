// Saving kept pictures as files.
import { el } from "../dom.js";
import { prompts } from "./stage.js";

const WORDS_MAX = 48;

/** The name of a picture's file: its words and its seed. */
export function nameOf({ seed, id, blob }, body) {
  const words = prompts(body)[0].toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, WORDS_MAX).replace(/^-|-$/g, "");
  const ending = blob?.type.replace("image/", "").replace("jpeg", "jpg") || "webp";
  return `${words || "picture"}-${seed}-${id.slice(0, 4)}.${ending}`;
}

/** Have the browser save a blob under a name. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
