// The picture to start from: dropped, pasted or chosen, made to fit, and kept while the tab is open.
import { $ } from "../dom.js";
import { say } from "../say.js";
import { hasMask, maskBlob, openMask, startMask, whiteOf } from "./mask.js";
import { sidesLike } from "./sizes.js";

const PIXELS_MAX = 3072 * 3072; // what a request may carry
const QUALITY = 0.92;
const NAME = "ordu.source";

let picture = null; // a Blob
let size = [0, 0];

/** Start the dialog; `changed` is called when the picture or its mask is another. */
export function startSource(form, changed) {
  const told = () => {
    show(form);
    changed();
  };
  startMask(told);
  const bring = async (file) => {
    if (file && (await open(file, null))) told();
  };
  $("#file").addEventListener("change", ({ target }) => bring(target.files[0]));
  $("#drop-source").addEventListener("click", () => setSource(null).then(told));
  $("#its-shape").addEventListener("click", () => {
    [form.elements.width.value, form.elements.height.value] = sidesLike(...size);
    changed();
  });
  const dialog = $("#source");
  dialog.addEventListener("dragover", (event) => event.preventDefault());
  dialog.addEventListener("drop", (event) => {
    event.preventDefault();
    bring(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    if (!dialog.open) dialog.showModal();
    bring(file);
  });
  return () => show(form);
}

/** Whether there is a picture to start from. */
export function hasSource() {
  return picture !== null;
}

/** The picture and its mask as Blobs; null without one. The mask only where a part is drawn anew. */
export async function sourceNow(body) {
  if (picture === null) return null;
  return { picture, mask: body.source_processing === "img2img" ? null : await maskBlob() };
}

/** Start from this picture and mask, or from none. */
export async function setSource(source) {
  if (source) return open(source.picture, source.mask);
  picture = null;
  $("#file").value = "";
  sessionStorage.removeItem(NAME);
}

/** Keep the picture for when the page is loaded again; false when there is no room for it. */
export async function keepSource(body) {
  const source = await sourceNow(body);
  try {
    if (source === null) sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, JSON.stringify([await base64(source.picture), source.mask && (await base64(source.mask))]));
    return true;
  } catch {
    sessionStorage.removeItem(NAME);
    return false;
  }
}

/** The picture that was kept, with its mask; or null. */
export async function keptSource() {
  const kept = sessionStorage.getItem(NAME);
  if (kept === null) return null;
  const [source, mask] = JSON.parse(kept).map((text) => text && new Blob([Uint8Array.from(atob(text), (each) => each.charCodeAt(0))]));
  return { picture: source, mask };
}

/** A Blob as requests carry it. */
export function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = Object.assign(new FileReader(), { onload: () => resolve(reader.result.split(",", 2)[1]), onerror: () => reject(reader.error) });
    reader.readAsDataURL(blob);
  });
}

async function open(file, mask) {
  $("#source-trouble").textContent = "";
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, Math.sqrt(PIXELS_MAX / (bitmap.width * bitmap.height)));
    size = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.floor(side * scale)));
    const canvas = $("#picture");
    [canvas.width, canvas.height] = size;
    canvas.getContext("2d").drawImage(bitmap, 0, 0, ...size);
    picture = await new Promise((resolve) => canvas.toBlob(resolve, "image/webp", QUALITY));
    openMask(...size, mask ? whiteOf(await createImageBitmap(mask)) : null);
    return true;
  } catch (error) {
    if (error.name !== "InvalidStateError") throw error;
    $("#source-trouble").textContent = say("ask.no-such-picture");
    return false;
  }
}

function show(form) {
  const isThere = picture !== null;
  for (const id of ["#with-source", "#drop-source", "#its-shape"]) $(id).hidden = !isThere;
  const paints = form.elements.source_processing.value !== "img2img";
  $("#mask-tools").hidden = $("#mask").hidden = !paints;
  const chosen = form.elements.source_processing.selectedOptions[0].textContent;
  $("#source-now").textContent = isThere ? chosen : say("ask.from-none");
  if (isThere) $("#source-trouble").textContent = form.elements.source_processing.value === "inpainting" && !hasMask() ? say("ask.mask-empty") : "";
}
