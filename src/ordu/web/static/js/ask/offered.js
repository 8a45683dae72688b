// The models: who offers them, and how long each takes.
import { call } from "../api.js";
import { $, el } from "../dom.js";
import { duration, say } from "../say.js";

const SHOWN_MAX = 300;
const OLD_MS = 30_000;

let offered = [];
let askedAt = -OLD_MS;
let able = null; // how many machines can make what is asked for

/** Start the dialog; returns what shows the present choice, and what reads the list anew. */
export function startModels(form, changed) {
  const list = $("#models");
  const show = () => {
    const names = chosen(form);
    const only = names.length === 1 && offered.find((model) => model.name === names[0]);
    const facts = only?.count ? factsOf(only, form) : able && say("ask.any-facts", { count: able });
    $("#model-now").replaceChildren(nameOf(names), ...(facts ? [" ", el("i", {}, facts)] : []));
  };
  const refresh = async () => {
    if (performance.now() - askedAt < OLD_MS) return;
    askedAt = performance.now();
    offered = (await call("GET", "/api/v2/status/models")).sort((one, other) => other.count - one.count);
    offerAll(form, list, chosen(form));
    show();
  };
  $("#find-model").addEventListener("input", ({ target }) => {
    const wanted = target.value.trim().toLowerCase();
    for (const row of list.children) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  $("#any-model").addEventListener("click", () => {
    for (const box of list.querySelectorAll("input")) box.checked = false;
    changed();
  });
  const countAble = (machines) => {
    able = machines;
    show();
  };
  return { show, refresh, countAble, choose: (names) => offerAll(form, list, names) };
}

function offerAll(form, list, names) {
  const known = new Set(offered.map((model) => model.name));
  const gone = names.filter((name) => !known.has(name)).map((name) => ({ name, count: 0 }));
  const rows = [...gone, ...offered.filter((model, index) => index < SHOWN_MAX || names.includes(model.name))].map((model) =>
    el("label", { class: "check" }, el("input", { type: "checkbox", name: "models", value: model.name, checked: names.includes(model.name) }), el("span", {}, model.name, el("small", {}, model.count ? lineOf(model, form) : say("ask.not-offered")))),
  );
  list.replaceChildren(...(rows.length ? rows : [el("p", { class: "muted" }, say("ask.no-models"))]));
}

function chosen(form) {
  return [...form.querySelectorAll('[name="models"]:checked')].map((box) => box.value);
}

function nameOf(names) {
  if (names.length > 1) return say("ask.several-models", { count: names.length });
  return names[0] ?? say("ask.any-model");
}

function factsOf(model, form) {
  const { width, height, steps } = form.elements;
  const pace = (width.value * height.value * steps.value) / (model.performance || 1);
  return say("ask.model-facts", { count: model.count, pace: duration(Math.max(1, pace)) });
}

function lineOf(model, form) {
  const facts = factsOf(model, form);
  return model.eta ? say("ask.model-line", { facts, wait: duration(model.eta) }) : facts;
}
