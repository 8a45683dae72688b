// The mask: what of a picture is drawn anew. Every stroke is kept, so that each can be undone.
import { $, announce } from "../dom.js";
import { say } from "../say.js";

const STROKES_MAX = 1_000;
const SIDE_MAX = 1024; // of the mask; workers fit it to the picture
const STEP_SHARE = 0.5; // of the brush that an arrow key moves

let base = null; // a mask that came with a request
let strokes = [];
let corner = null;
let at = { x: 0.5, y: 0.5 }; // where the brush is by keyboard, in shares of the picture
let tool = "brush";
let changed = () => {};
const canvas = $("#mask");

/** Start the brush; `told` is called when something was painted. */
export function startMask(told) {
  changed = told;
  for (const button of document.querySelectorAll("[data-tool]")) button.addEventListener("click", () => take(button));
  $("#undo").addEventListener("click", () => redraw(strokes.pop()));
  $("#clear").addEventListener("click", () => redraw((strokes = [{ tool: "clear" }])));
  canvas.addEventListener("pointerdown", press);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("keydown", type);
  canvas.addEventListener("focus", showBrush);
  canvas.addEventListener("blur", () => ($("#brush").hidden = true));
  $("#brush").hidden = true;
}

/** Begin a mask for a picture of this size, with one that was painted before or null. */
export function openMask(width, height, painted) {
  const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  strokes = [];
  corner = null;
  base = painted;
  redraw();
}

/** Whether anything was painted. */
export function hasMask() {
  return base !== null ? strokes.at(-1)?.tool !== "clear" : strokes.some((stroke) => stroke.tool !== "clear" && stroke.tool !== "eraser");
}

/** The mask as requests have it, white where to paint, as a Blob; null when nothing is painted. */
export async function maskBlob() {
  if (!hasMask()) return null;
  const white = flat("white", canvas);
  white.globalCompositeOperation = "destination-over";
  white.fillStyle = "black";
  white.fillRect(0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => white.canvas.toBlob(resolve, "image/webp", 1));
}

/** A canvas with the shape of a mask in one colour. */
function flat(colour, shape) {
  const context = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height }).getContext("2d");
  context.drawImage(shape, 0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = colour;
  context.fillRect(0, 0, canvas.width, canvas.height);
  return context;
}

/** A black and white picture as what is white of it, to be shown over another. */
export function whiteOf(picture) {
  const context = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height }).getContext("2d");
  context.drawImage(picture, 0, 0);
  const pixels = context.getImageData(0, 0, picture.width, picture.height);
  for (let index = 0; index < pixels.data.length; index += 4) pixels.data[index + 3] = (pixels.data[index] * pixels.data[index + 3]) / 255;
  context.putImageData(pixels, 0, 0);
  return context.canvas;
}

// Painting

function redraw() {
  const context = canvas.getContext("2d");
  const colour = getComputedStyle(canvas).color;
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (base) context.drawImage(flat(colour, base).canvas, 0, 0);
  Object.assign(context, { fillStyle: colour, strokeStyle: colour, lineCap: "round", lineJoin: "round" });
  for (const stroke of strokes) draw(context, stroke);
  context.globalCompositeOperation = "source-over";
  changed();
}

function draw(context, { tool, size, points }) {
  if (tool === "clear") return context.clearRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = tool === "eraser" ? "destination-out" : "source-over";
  const [first, ...others] = points.map(({ x, y }) => [x * canvas.width, y * canvas.height]);
  if (tool === "rectangle") return context.fillRect(...first, others[0][0] - first[0], others[0][1] - first[1]);
  context.lineWidth = size * canvas.width;
  context.beginPath();
  context.moveTo(...first);
  for (const [x, y] of [first, ...others]) context.lineTo(x + 0.01, y); // a line of no length is not drawn
  context.stroke();
}

function add(points) {
  if (strokes.length >= STROKES_MAX) return;
  strokes.push({ tool, size: sizeNow(), points });
  redraw();
}

function put(point) {
  if (tool !== "rectangle") return add([point]);
  if (corner === null) {
    corner = point;
    announce(say("ask.corner", percent(point)));
  } else {
    add([corner, point]);
    corner = null;
  }
}

function take(button) {
  tool = button.dataset.tool;
  corner = null;
  for (const each of document.querySelectorAll("[data-tool]")) each.setAttribute("aria-pressed", String(each === button));
}

function sizeNow() {
  return Number($("#brush-size").value) / 100;
}

// By hand and by keyboard

function press(event) {
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  at = pointOf(event);
  put(at);
}

function move(event) {
  if (!event.buttons || tool === "rectangle" || !strokes.length) return;
  strokes.at(-1).points.push(pointOf(event));
  redraw();
}

function pointOf(event) {
  const box = canvas.getBoundingClientRect();
  return { x: within((event.clientX - box.left) / box.width), y: within((event.clientY - box.top) / box.height) };
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function type(event) {
  if (event.key === " ") {
    put(at);
    if (tool !== "rectangle" || corner === null) announce(say("ask.painted", percent(at)));
  } else if (event.key in ARROWS) {
    const [right, down] = ARROWS[event.key];
    const step = sizeNow() * STEP_SHARE;
    at = { x: within(at.x + right * step), y: within(at.y + (down * step * canvas.width) / canvas.height) };
    announce(say("ask.moved", percent(at)));
  } else return;
  event.preventDefault();
  showBrush();
}

function showBrush() {
  const { style } = $("#brush");
  $("#brush").hidden = false;
  style.left = `${at.x * 100}%`;
  style.top = `${at.y * 100}%`;
  style.width = `${sizeNow() * 100}%`;
}

function percent({ x, y }) {
  return { x: Math.round(x * 100), y: Math.round(y * 100) };
}

function within(share) {
  return Math.min(1, Math.max(0, share));
}
