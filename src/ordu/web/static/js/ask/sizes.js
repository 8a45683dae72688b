// The size: shapes drawn to scale, and two numbers in steps.
import { $, el, svg } from "../dom.js";
import { say } from "../say.js";

const SHAPES = [[512, 512], [512, 768], [768, 512], [640, 960], [960, 640], [1024, 1024], [832, 1216], [1216, 832], [768, 1344], [1344, 768]];
const LARGEST = 1344; // of these, which is drawn as high as there is room for
const ROOM = 56;
const STEP = 64;
/** What is beyond is paid up front. */
export const PIXELS_USUAL = 1024 * 1024;

/** The shapes of the dialog; `changed` is called when one was taken. */
export function startSizes(form, changed) {
  const fields = [form.elements.width, form.elements.height];
  for (const field of fields) field.addEventListener("change", () => snap(field));
  const shapes = SHAPES.map((size) => {
    const take = () => {
      fields.forEach((field, index) => (field.value = size[index]));
      changed();
    };
    return el("button", { type: "button", class: "shape", "aria-pressed": "false", onclick: take }, drawn(size), el("span", {}, said(size)));
  });
  $("#shapes").append(...shapes);
  return () => {
    const now = said(fields.map((field) => Number(field.value)));
    $("#size-now").textContent = now;
    for (const shape of shapes) shape.setAttribute("aria-pressed", String(shape.textContent === now));
  };
}

/** The sides of about this shape, in steps, with no more pixels than usual. */
export function sidesLike(width, height) {
  const scale = Math.min(1, Math.sqrt(PIXELS_USUAL / (width * height)));
  return [width, height].map((side) => Math.min(3072, Math.max(STEP, Math.floor((side * scale) / STEP) * STEP)));
}

function snap(field) {
  const wanted = Math.round(Number(field.value) / STEP) * STEP || Number(field.defaultValue);
  field.value = Math.min(Number(field.max), Math.max(Number(field.min), wanted));
}

function said([width, height]) {
  return say("ask.size-of", { width: String(width), height: String(height) });
}

function drawn([width, height]) {
  const [wide, high] = [width, height].map((side) => Math.round((side / LARGEST) * ROOM));
  const edges = { x: (ROOM - wide) / 2 + 1, y: (ROOM - high) / 2 + 1, width: wide, height: high };
  return svg("svg", { viewBox: `0 0 ${ROOM + 2} ${ROOM + 2}`, width: ROOM + 2, height: ROOM + 2, "aria-hidden": "true" }, svg("rect", edges));
}
