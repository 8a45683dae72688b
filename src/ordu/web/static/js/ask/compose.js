// The composer: a form whose cells open dialogs, the price of what it says, and the asking itself.
import { call } from "../api.js";
import { $, announce, busy, el, explained } from "../dom.js";
import { key, keyOrGuest } from "../key.js";
import { startModels } from "./offered.js";
import { foresee, showNoGuests, showNoPrice, showPrice } from "./price.js";
import { duration, say } from "../say.js";
import { me } from "../session.js";
import { startSizes } from "./sizes.js";
import { base64, hasSource, keepSource, keptSource, setSource, sourceNow, startSource } from "./source.js";
import { bodyOf, fieldsOf, fill, Unreadable, withSet } from "./wish.js";

const NAME = "ordu.composer";
const CALM_MS = 300; // after the last change
const BETWEEN_MS = 1_000; // two prices: a horde answers so many calls a second
const FRESH_MS = 30_000; // how long a wait is true
const form = $("#composer");

let show = () => {};
let models = null;
let timer = null;
let pricedAt = 0;
let pricing = null;
let once = { said: "", key: "" };

/** Start the composer. */
export function startComposer() {
  form.noValidate = true;
  const showSize = startSizes(form, changed);
  const showSource = startSource(form, pictureChanged);
  models = startModels(form, changed);
  show = () => {
    showSize();
    showSource();
    models.show();
    showMore();
    $("#send").textContent = say("ask.ask", { count: Number(form.elements.n.value) });
  };
  startDialogs();
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", submit);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  });
  $("#usual").addEventListener("click", setBack);
  document.addEventListener("ordu:fill", ({ detail }) => take(detail));
  document.addEventListener("ordu:me", price);
  document.addEventListener("visibilitychange", () => document.hidden || price());
  setInterval(() => document.hidden || Date.now() - pricedAt < FRESH_MS || price(), FRESH_MS / 3);
  restore();
}

function startDialogs() {
  for (const opener of form.querySelectorAll("[data-opens]")) {
    opener.addEventListener("click", () => {
      $(`#${opener.dataset.opens}`).showModal();
      if (opener.dataset.opens === "model") models.refresh();
    });
  }
  for (const closer of form.querySelectorAll("[data-closes]")) closer.addEventListener("click", () => closer.closest("dialog").close());
  for (const dialog of form.querySelectorAll("dialog")) {
    // Enter in a field of a dialog means that field, not the whole form.
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("input") && !event.ctrlKey && !event.metaKey) event.preventDefault();
    });
  }
}

// What the form says

function said() {
  return bodyOf(form, hasSource());
}

/** What is out of its bounds, by the names of the fields. */
function outOfBounds() {
  const numbers = [...form.querySelectorAll('[type="number"]')].filter(({ validity }) => !validity.valid && !validity.stepMismatch);
  return new Map(numbers.map((field) => [field.name, say("ask.bounds", { label: labelOf(field), least: Number(field.min), most: Number(field.max) })]));
}

function labelOf(field) {
  return field.labels[0].textContent.trim();
}

function changed() {
  show();
  try {
    localStorage.setItem(NAME, JSON.stringify(said()));
  } catch (error) {
    if (!(error instanceof Unreadable) && error.name !== "QuotaExceededError") throw error;
  }
  price();
}

async function pictureChanged() {
  changed();
  if (!(await keepSource(said()))) announce(say("ask.not-kept"));
}

function fillWith(body) {
  models.choose(body.models ?? []);
  fill(form, body);
  models.choose(body.models ?? []);
}

async function take({ body, source, send }) {
  await setSource(source);
  fillWith(body);
  await pictureChanged();
  form.scrollIntoView({ block: "nearest" });
  if (send) form.requestSubmit();
  else form.elements.prompt.focus();
}

async function apply(values) {
  const body = withSet(said(), values);
  if ("source_image" in values) await setSource(null);
  fillWith(body);
  await pictureChanged();
}

function setBack() {
  for (const field of $("#more").querySelectorAll("[name]")) {
    field.checked = field.defaultChecked;
    field.value = field.defaultValue;
  }
  changed();
}

async function restore() {
  const kept = localStorage.getItem(NAME);
  const typed = form.elements.prompt.value;
  if (kept && !typed) fillWith(JSON.parse(kept));
  await setSource(await keptSource());
  show();
  price();
  models.refresh();
}

/** What of the dialog More is not as usual, by its labels. */
function showMore() {
  const others = [...$("#more").querySelectorAll("[name]")].filter((field) => (field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue));
  const names = others.map((field) => (field.type === "checkbox" ? labelOf(field) : `${labelOf(field)} ${field.value.replaceAll("\n", ", ")}`));
  $("#more-now").textContent = names.join(", ") || say("ask.as-usual");
}

// What it would cost

function price() {
  clearTimeout(timer);
  timer = setTimeout(askPrice, Math.max(CALM_MS, pricedAt + BETWEEN_MS - Date.now()));
}

async function askPrice() {
  pricing?.abort();
  pricing = new AbortController();
  const { signal } = pricing;
  pricedAt = Date.now();
  try {
    const user = await me();
    allow(user);
    if (user === null && !("guests" in form.dataset)) return showNoGuests();
    const wrong = outOfBounds();
    if (wrong.size) return showNoPrice([...wrong.values()].join(" "));
    const body = said();
    const foreseen = await foresee(body, hasSource(), signal);
    if (signal.aborted) return;
    models.countAble(foreseen.outlook.workers_able);
    showPrice(form, body, user, foreseen, apply);
  } catch (problem) {
    if (signal.aborted || problem instanceof Unreadable) return;
    if (problem.name !== "Problem") throw problem;
    if (problem.status === 429) timer = setTimeout(askPrice, 1_000 * (problem.retryAfterS ?? 2));
    else showNoPrice(problem.message);
  }
}

/** No more pictures than may wait of this user. */
function allow(user) {
  const most = user?.concurrency ?? Infinity;
  for (const option of form.elements.n.options) option.disabled = Number(option.value) > most;
}

// Asking

async function submit(event) {
  event.preventDefault();
  clearFaults();
  const wrong = outOfBounds();
  if (!form.elements.prompt.value.trim()) wrong.set("prompt", say("ask.say-something"));
  for (const dialog of form.querySelectorAll("dialog[open]")) dialog.close();
  if (wrong.size) return fault(wrong);
  await busy($("#send"), say("ask.asking"), send, refused).catch((error) => {
    if (!(error instanceof Unreadable)) throw error;
    fault(new Map([[error.field, error.message]]));
  });
  show();
}

async function send() {
  const body = said();
  const source = await sourceNow(body);
  const pictures = source ? { source_image: await base64(source.picture), ...(source.mask ? { source_mask: await base64(source.mask) } : {}) } : {};
  const placed = await call("POST", "/api/v2/generate/async", {
    body: { ...body, ...pictures },
    key: keyOrGuest(),
    headers: { "Idempotency-Key": onceFor(JSON.stringify([key(), body, pictures])) },
    timeoutMs: 120_000,
  });
  once = { said: "", key: "" };
  announce(say("ask.asked"));
  document.dispatchEvent(new CustomEvent("ordu:asked", { detail: { id: placed.id, body, source, kudos: placed.kudos_exact } }));
  price();
}

/** The same key for the same words until they are answered, so that nothing is asked for twice. */
function onceFor(words) {
  if (once.said !== words) once = { said: words, key: [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("") };
  return once.key;
}

function refused(problem) {
  if (problem.status !== 0) once = { said: "", key: "" };
  const named = Object.entries(problem.errors).map(([path, message]) => [path.split(/[.[]/).filter((part) => fieldsOf(form, part).length).at(-1), message]);
  if (named.length && named.every(([name]) => name)) return fault(new Map(named.map(([name, message]) => [name, `${labelOf(fieldsOf(form, name)[0])}: ${message}`])));
  $("#faults").replaceChildren(explained(problem));
  if (problem.status === 429 && problem.retryAfterS) countDown(problem.retryAfterS);
}

function countDown(left) {
  const line = el("p", { class: "small", role: "timer" });
  $("#faults").append(line);
  const tick = () => {
    line.textContent = left > 0 ? say("ask.too-often", { wait: duration(left) }) : say("ask.now-again");
    left -= 1;
    if (left >= 0 && line.isConnected) setTimeout(tick, 1_000);
  };
  tick();
}

// What is wrong with a field, beside it, with a summary that leads there

function fault(messages) {
  const items = [...messages].map(([name, message]) => {
    const [field] = fieldsOf(form, name);
    const id = `${name}-fault`;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", id);
    const beside = el("p", { class: "err", id }, message);
    if (field.closest("dialog")) field.after(beside);
    return el("li", {}, el("a", { href: `#${name}`, onclick: (event) => lead(event, field) }, message), field.closest("dialog") ? null : el("span", { id, hidden: true }, message));
  });
  $("#faults").replaceChildren(el("div", { class: "problem", role: "alert" }, el("p", { class: "err" }, say("ask.faults", { count: items.length })), el("ul", {}, items)));
  const [first] = fieldsOf(form, [...messages.keys()][0]);
  if (items.length === 1 && !first.closest("dialog")) first.focus();
  else $("#faults").focus();
}

function lead(event, field) {
  event.preventDefault();
  const dialog = field.closest("dialog");
  if (dialog && !dialog.open) dialog.showModal();
  field.focus();
}

function clearFaults() {
  $("#faults").replaceChildren();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  for (const beside of form.querySelectorAll("dialog .err[id$='-fault']")) beside.remove();
}
