// Trying a call: a form for each operation, made of its parameters and the body of its example.
import { $, el } from "../dom.js";
import { key } from "../key.js";
import { say } from "../say.js";
import { sent } from "./sending.js";

const NOT_ASKED = new Set(["apikey"]); // which key is sent is chosen otherwise

/** Offer to try each operation; its form is made when it is wanted. */
export function prepareTrying() {
  for (const place of document.querySelectorAll(".try")) {
    const button = el("button", { type: "button", class: "b s", "aria-expanded": "false" }, say("api.try"));
    button.addEventListener("click", () => toggle(place, button));
    place.append(button);
    place.lang = document.documentElement.lang;
    place.hidden = false;
  }
}

function toggle(place, button) {
  const open = $(".try button", place.parentElement).getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  button.textContent = say(open ? "api.try" : "api.try-close");
  const form = place.querySelector("form") ?? madeForm(place);
  form.hidden = open;
  if (!open) form.querySelector("input, select, textarea, button").focus();
}

function madeForm(place) {
  const article = place.closest(".op");
  const operation = operationOf(article);
  const fields = operation.parameters.map((parameter) => fieldOf(operation, parameter));
  const body = bodyOf(operation, place.querySelector("template")?.content.textContent ?? "");
  const asks = operation.effect !== "";
  const send = el("button", { class: "b" }, say(asks ? "api.send-asks" : "api.send"));
  const answer = el("div", { class: "answer" });
  const form = el("form", { class: "trial" }, el("div", { class: "form" }, keyField(operation), ...fields), body, el("p", { class: "row gap-s" }, send), answer);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (asks) warn(operation, form, send, answer);
    else sent(operation, form, send, answer);
  });
  place.append(form);
  return form;
}

/** What the page says of an operation. */
function operationOf(article) {
  const rows = [...article.querySelectorAll("tr[data-in]")];
  const parameters = rows.map(({ dataset }) => ({ place: dataset.in, name: dataset.name, isRequired: "required" in dataset }));
  const { method, path, key: wants, effect, sends } = article.dataset;
  return { name: article.id, method, path, wants, effect, sends, parameters: parameters.filter(({ name }) => !NOT_ASKED.has(name)) };
}

/** Ask once more before a call that does something. */
function warn(operation, form, send, place) {
  const really = el("button", { type: "button", class: "b danger" }, say("api.send-really"));
  const not = el("button", { type: "button", class: "b" }, say("common.cancel"));
  const back = () => {
    place.replaceChildren();
    send.focus();
  };
  not.addEventListener("click", back);
  really.addEventListener("click", () => sent(operation, form, send, place));
  const words = say(operation.effect === "spends" ? "api.warn-spends" : "api.warn-changes");
  place.replaceChildren(el("div", { class: "note warn", role: "alert" }, el("p", {}, words), el("p", { class: "row" }, really, not)));
  really.focus();
}

// Fields

function labelled(operation, name, label, field) {
  field.id = `try-${operation.name}-${name.toLowerCase()}`;
  return el("div", {}, el("label", { for: field.id }, label), field);
}

function fieldOf(operation, { place, name, isRequired }) {
  const field = say(`api.field-in-${place}`, { name });
  const label = isRequired ? field : say("api.field-optional", { field });
  return labelled(operation, `${place}-${name}`, label, el("input", { class: "in mono", name: `${place}:${name}`, required: isRequired, autocomplete: "off", spellcheck: "false" }));
}

function keyField(operation) {
  if (operation.wants === "none") return null;
  const choices = [
    ...(key() === null ? [] : [["me", "api.send-as-me"]]),
    ["guest", "api.send-as-guest"],
    ...(operation.wants === "optional" ? [["", "api.send-without"]] : []),
  ];
  const usual = key() !== null ? "me" : operation.wants === "optional" ? "" : "guest";
  const options = choices.map(([value, words]) => el("option", { value, selected: value === usual }, say(words)));
  return labelled(operation, "key", say("api.send-as"), el("select", { class: "in", name: "key" }, ...options));
}

function bodyOf(operation, example) {
  if (operation.sends.startsWith("image/")) {
    return labelled(operation, "body", say("api.picture"), el("input", { class: "in", type: "file", name: "picture", accept: "image/*", required: true }));
  }
  if (!operation.sends) return null;
  const rows = Math.min(16, example.split("\n").length + 1);
  return labelled(operation, "body", say("api.body"), el("textarea", { class: "in mono", name: "body", rows, spellcheck: "false" }, example));
}
