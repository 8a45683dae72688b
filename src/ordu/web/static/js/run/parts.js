// Parts that the sections of Run it are made of: tables, facts, chips, and the dialog that asks why.
import { busy, el, explained } from "../dom.js";
import { say, when } from "../say.js";

/** A table in a region that can be scrolled by keyboard. `heads` are texts or [text, class]. */
export function table(label, heads, rows) {
  const cells = heads.map((head) => (Array.isArray(head) ? el("th", { scope: "col", class: head[1] }, head[0]) : el("th", { scope: "col" }, head)));
  const body = el("tbody", {}, rows);
  return el("div", { class: "tw", tabindex: "0", role: "region", "aria-label": label }, el("table", {}, el("thead", {}, el("tr", {}, cells)), body));
}

/** A word in a frame; bad ones are red as well. */
export function chip(text, isBad = false) {
  return el("span", { class: isBad ? "chip bad" : "chip" }, text);
}

/** Facts as a list of names and values; facts without a value are left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el("dl", { class: "spec" }, known.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

/** A field below its label. */
export function field(label, input, hint = null) {
  input.id ||= `f${Math.random().toString(36).slice(2)}`;
  if (hint) input.setAttribute("aria-describedby", `${input.id}-hint`);
  return el("div", {}, el("label", { for: input.id }, label), input, hint && el("p", { class: "hint", id: `${input.id}-hint` }, hint));
}

/** A select with options [value, text]. */
export function choice(options, attributes = {}) {
  return el("select", { class: "in", ...attributes }, options.map(([value, text]) => el("option", { value }, text)));
}

/** A button that does something, once at a time; what goes wrong is said in `trouble`. */
export function act(label, work, { kind = "b s", trouble } = {}) {
  const button = el("button", { type: "button", class: kind }, label);
  button.addEventListener("click", () => {
    trouble.replaceChildren();
    busy(button, say("run.busy"), work, (problem) => trouble.replaceChildren(explained(problem)));
  });
  return button;
}

/** A moment as an element, in the visitor's zone. */
export function moment(iso) {
  return el("time", { datetime: iso, class: "nowrap" }, when(iso));
}

/**
 * Ask before something that cannot be undone, or that others want to know the reason of.
 * Does `work(reason, text)`; the dialog stays open while that is refused.
 */
export function ask({ title, text, label, isDanger = true, isReasonNeeded = true, extra = null, work }) {
  const reason = el("textarea", { class: "in said", rows: "2", maxlength: "500" });
  const trouble = el("div", { "aria-live": "polite" });
  const go = el("button", { type: "submit", class: isDanger ? "b danger" : "b" }, label);
  const heading = el("h2", { id: "ask-title" }, title);
  const close = el("button", { type: "button", class: "b text" }, say("common.cancel"));
  const form = el("form", { class: "stack" }, heading, el("p", { class: "text" }, text), extra && field(extra.label, extra.input, extra.hint), field(say("run.reason"), reason, say(isReasonNeeded ? "run.reason-needed" : "run.reason-hint")), trouble, el("div", { class: "row" }, close, go));
  const dialog = el("dialog", { "aria-labelledby": "ask-title" }, form);
  const tell = (problem) => trouble.replaceChildren(explained(problem));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isReasonNeeded && !reason.value.trim()) {
      reason.setAttribute("aria-invalid", "true");
      trouble.replaceChildren(el("p", { class: "err" }, say("run.reason-missing")));
      reason.focus();
      return;
    }
    const done = async () => {
      await work(reason.value.trim() || undefined);
      dialog.close();
    };
    busy(go, say("run.busy"), done, tell);
  });
  document.body.append(dialog);
  dialog.showModal();
  (extra?.input ?? reason).focus();
  return dialog;
}
