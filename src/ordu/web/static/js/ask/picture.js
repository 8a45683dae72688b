// One kept picture as an element, and what is said of it.
import { el } from "../dom.js";
import { say } from "../say.js";
import { prompts } from "./stage.js";

const ALT_MAX = 150;
const addresses = new Map(); // id -> the address of its bytes in this page

/** The picture as an image, or what stands in its place when it was censored or is gone. */
export function imageOf(picture, body, attributes = {}) {
  const source = addressOf(picture);
  if (source && !picture.isGone) {
    const image = el("img", { src: source, alt: altOf(picture, body), width: picture.width, height: picture.height, ...attributes });
    image.addEventListener("error", () => image.replaceWith(blank(say("pictures.gone"))), { once: true });
    return image;
  }
  return blank(picture.censored ? say("pictures.censored") : say("pictures.gone"));
}

/** Where its bytes are for this page, or null. */
export function addressOf({ id, blob, link }) {
  if (blob && !addresses.has(id)) addresses.set(id, URL.createObjectURL(blob));
  return addresses.get(id) ?? link;
}

/** Free what `addressOf` holds of it. */
export function release(id) {
  if (addresses.has(id)) URL.revokeObjectURL(addresses.get(id));
  addresses.delete(id);
}

/** What is said of a picture to who cannot see it: its owner's words, or its prompt, shortened at a word. */
export function altOf(picture, body) {
  return picture.alt ?? shortened(prompts(body)[0]);
}

/** A text of at most 150 characters, cut at a word. */
export function shortened(text) {
  if (text.length <= ALT_MAX) return text;
  const cut = text.slice(0, ALT_MAX - 1);
  const end = cut.lastIndexOf(" ");
  return `${cut.slice(0, end > 0 ? end : ALT_MAX)}…`;
}

function blank(why) {
  return el("span", { class: "no-picture" }, el("span", { class: "dia" }), el("span", {}, why));
}
