// Price and wait before asking: what a dry run says, in words, and what would help.
import { call, pathOf } from "../api.js";
import { $, el } from "../dom.js";
import { keyOrGuest } from "../key.js";
import { duration, number, say, sayWith } from "../say.js";
import { PIXELS_USUAL, sidesLike } from "./sizes.js";

const REASONS = ["models", "max_pixels", "nsfw", "img2img", "painting", "bridge_version", "step_count", "untrusted", "resting"];
const SOONER_S_MIN = 30; // what is worth a changed wish
const CHANGES_MAX = 3;
const HEAVY_STEPS = 100;
const PLACEHOLDER = "-"; // a dry run looks at no picture

/** What a request would cost and how long it would take; throws a Problem. */
export function foresee(body, source, signal) {
  const pictures = source ? { source_image: PLACEHOLDER, source_mask: body.source_processing === "img2img" ? undefined : PLACEHOLDER } : {};
  return call("POST", "/api/v2/generate/async", { body: { ...body, prompt: body.prompt || PLACEHOLDER, ...pictures, dry_run: true }, key: keyOrGuest(), signal });
}

/** Show what was foreseen. `apply` takes values to set, by dotted names. */
export function showPrice(form, body, user, { kudos_exact: price, outlook }, apply) {
  const isPaid = user !== null;
  $("#size-trouble").textContent = sizeTrouble(form, body, user, outlook);
  $("#price").replaceChildren(...(outlook.affordable ? lines() : tooPoor(form, body, price, outlook, isPaid, apply)));

  function lines() {
    const wait = outlook.wait_time === null ? null : el("b", {}, duration(Math.max(1, outlook.wait_time)));
    const kudos = el("b", {}, say("common.kudos", { amount: number(price) }));
    const first = isPaid ? sayWith(wait ? "ask.price" : "ask.price-only", { kudos, wait }) : sayWith(wait ? "ask.free" : "ask.free-only", { wait });
    return [el("p", {}, first), wait ? null : cannot(form, outlook), helps(outlook, body, apply), rest(form, user, price, outlook)].filter(Boolean);
  }
}

/** Say that guests may not ask here. */
export function showNoGuests() {
  $("#price").replaceChildren(el("p", {}, sayWith("ask.no-guests", { name: register() })));
}

/** Say that the price is not known, and why. */
export function showNoPrice(why) {
  $("#price").replaceChildren(el("p", { class: "muted" }, why));
}

function rest(form, user, price, outlook) {
  if (user === null) return el("p", { class: "small muted" }, sayWith(form.dataset.upfront === "heavy" ? "ask.guest-bounds" : "ask.guest", { name: register() }));
  const ahead = outlook.jobs_before && outlook.wait_time !== null ? [say("ask.ahead", { count: outlook.jobs_before })] : [];
  const left = user.kudos - price;
  const after = left < 0 ? say("ask.poor", { amount: number(Math.max(0, user.kudos)) }) : say("ask.keep", { amount: number(left, 0) });
  return el("p", { class: "small muted" }, [...ahead, after].join(" "));
}

function cannot(form, outlook) {
  const wait = duration(Number(form.dataset.kept));
  const why = outlook.why_not.slice(0, 2).map(({ reason, workers }) => say(`ask.why-${REASONS.includes(reason) ? reason : "other"}`, { count: workers }));
  const first = outlook.workers_online ? say("ask.none-can") : say("ask.none-here");
  return el("p", {}, el("b", { class: "bad" }, first), ` ${[...why, say("ask.kept", { wait })].join(" ")}`);
}

function helps(outlook, body, apply) {
  const isStuck = outlook.wait_time === null;
  const worth = outlook.changes.filter((change) => isStuck || outlook.starts_in - change.starts_in > SOONER_S_MIN).slice(0, CHANGES_MAX);
  if (!worth.length) return null;
  const buttons = worth.flatMap((change) => choices(change, body)).slice(0, CHANGES_MAX);
  return el("p", { class: "helps" }, say(isStuck ? "ask.would-help" : "ask.sooner"), buttons.map(([label, set]) => button(label, () => apply(set))));
}

/** A change as buttons: one, or one for each model that could be named. */
function choices({ subjects, set, models = [] }, body) {
  if (subjects.length === 1 && subjects[0] === "models") {
    const named = models.map(({ name }) => [say("ask.try-model", { name }), { models: [...body.models, name] }]);
    return [...named.slice(0, CHANGES_MAX - 1), [say("ask.try-models"), set]];
  }
  const said = { width: String(set["params.width"] ?? ""), height: String(set["params.height"] ?? ""), steps: set["params.steps"] ?? 0 };
  const label = subjects.map((subject) => (KNOWN.has(subject) ? say(`ask.try-${subject}`, said) : subject)).join(", ");
  return [[label, set]];
}

const KNOWN = new Set([
  "models", "size", "steps", "sampler_name", "nsfw", "slow_workers", "extra_slow_workers", "trusted_workers", "source_image", "control_type",
  "post_processing", "loras", "tiling", "hires_fix", "clip_skip", "censor_nsfw",
]);

function tooPoor(form, body, price, outlook, isPaid, apply) {
  const available = Math.max(0, outlook.kudos_available);
  const first = isPaid ? say("ask.too-poor", { price, available }) : say("ask.for-name", { price });
  const { n, width, height, steps } = body.params;
  const fewer = Math.floor(available / (price / n));
  const [wide, high] = sidesLike(width, height);
  const lighter = { "params.width": wide, "params.height": high, "params.steps": Math.min(steps, HEAVY_STEPS), slow_workers: true };
  const buttons = [
    fewer >= 1 && button(say("ask.fewer", { count: fewer, price: (price / n) * fewer }), () => apply({ "params.n": fewer })),
    form.dataset.upfront === "heavy" && button(say("ask.lighter"), () => apply(lighter)),
    el("a", { class: "b s", href: pathOf(isPaid ? "/lend" : "/register") }, say(isPaid ? "ask.lend-instead" : "ask.take-a-name")),
  ];
  return [el("p", { class: "bad" }, first), el("p", { class: "helps" }, buttons)];
}

function sizeTrouble(form, body, user, outlook) {
  if (outlook.wait_time === null && outlook.why_not.some(({ reason }) => reason === "max_pixels")) return say("ask.none-can");
  if (form.dataset.upfront !== "heavy" || body.params.width * body.params.height <= PIXELS_USUAL) return "";
  return say(user === null ? "ask.guest-above" : "ask.held-above");
}

function button(label, onclick) {
  return el("button", { type: "button", class: "b s", onclick }, label);
}

function register() {
  return el("a", { href: pathOf("/register") }, say("ask.take-a-name"));
}
