// Elements: making them, and saying things to whoever reads the page.
import { say } from "./say.js";

const TOAST_MS = 8_000;

/** An element with attributes and children. `on…` are listeners, `false` and `null` attributes are left out; text is text. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for a drawing. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The first element of a selector, which is there. */
export function $(selector, within = document) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`there is no ${selector}`);
  return found;
}

/** Say something to screen readers, politely. */
export function announce(text) {
  $("#live").textContent = text;
}

let toastShown = null;

/** Tell what was just done, at the corner; with `undo` a button that takes it back. */
export function toast(text, undo = null) {
  toastShown?.remove();
  const undone = async () => {
    shown.remove();
    await undo();
  };
  const shown = el("div", { class: "toast", role: "status" }, el("span", {}, text), undo && el("button", { type: "button", onclick: undone }, say("common.undo")));
  toastShown = shown;
  document.body.append(shown);
  const leave = () => setTimeout(() => (shown.matches(":hover, :focus-within") ? leave() : shown.remove()), TOAST_MS);
  leave();
}

/** What a problem says, for beside its cause: what and what to do, then code and request in small, to copy. */
export function explained(problem) {
  const about = [problem.rc, problem.requestId && say("common.request-id", { id: problem.requestId })].filter(Boolean).join(", ");
  return el("div", { class: "problem", role: "alert" }, el("p", { class: "err" }, problem.message), about && el("p", { class: "about-problem" }, about));
}

/** Copy text when a button is pressed; the button says that it was done. */
export function copies(button, text) {
  button.addEventListener("click", async () => {
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? text() : text);
      button.textContent = say("common.copied");
      announce(say("common.copied"));
      setTimeout(() => (button.textContent = label), 2_000);
    } catch {
      toast(say("common.copy-failed"));
    }
  });
}

/** Do something once at a time while a button says so; problems go to `tell`. */
export async function busy(button, label, work, tell) {
  if (button.getAttribute("aria-disabled") === "true") return;
  const before = button.textContent;
  button.style.minWidth = `${button.offsetWidth}px`;
  button.setAttribute("aria-disabled", "true");
  button.textContent = label;
  try {
    await work();
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    tell(problem);
  } finally {
    button.removeAttribute("aria-disabled");
    button.textContent = before;
  }
}
