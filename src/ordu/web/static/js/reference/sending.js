// Sending a call that is tried, to this horde and nowhere else, and showing what comes back.
import { pathOf } from "../api.js";
import { el } from "../dom.js";
import { GUEST, key } from "../key.js";
import { duration, say } from "../say.js";

const SHOWN_MAX = 200_000; // characters of an answer
const PATIENCE_MS = 600_000; // a call that waits for its pictures may take as long
const TELLING = ["content-type", "x-request-id", "etag", "location", "link", "retry-after", "ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining", "idempotency-replayed", "idempotency-key", "preference-applied"];

/** Send what a form says and show the answer, with a way to stop. */
export async function sent(operation, form, button, place) {
  if (button.getAttribute("aria-disabled") === "true") return;
  let request;
  try {
    request = requestOf(operation, new FormData(form));
  } catch (error) {
    place.replaceChildren(el("p", { class: "err", role: "alert" }, say("api.no-json", { message: error.message })));
    return;
  }
  const stop = new AbortController();
  const stopper = el("button", { type: "button", class: "b s" }, say("api.stop"));
  stopper.addEventListener("click", () => stop.abort());
  place.replaceChildren(el("p", { class: "row", role: "status" }, say("api.sending"), stopper));
  button.setAttribute("aria-disabled", "true");
  const began = performance.now();
  const time = () => timeOf(performance.now() - began);
  try {
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)]);
    await show(await fetch(request.url, { ...request.options, signal }), place, stopper, time);
  } catch (error) {
    const words = stop.signal.aborted ? say("api.stopped", { time: time() }) : say("api.no-answer", { message: error.message });
    stopper.closest("p")?.remove();
    place.append(el("p", { class: "err", role: "alert" }, words));
  } finally {
    stopper.remove();
    button.removeAttribute("aria-disabled");
  }
}

/** The call that a form describes. Throws when its body is no JSON. */
function requestOf(operation, data) {
  let path = operation.path;
  const query = {};
  const headers = {};
  for (const { place, name } of operation.parameters) {
    const value = data.get(`${place}:${name}`).trim();
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (place === "query") query[name] = value;
    else if (value) headers[name] = value;
  }
  const apikey = { me: key(), guest: GUEST }[data.get("key")];
  if (apikey) headers.apikey = apikey;
  const options = { method: operation.method, headers, credentials: "omit", redirect: "manual", cache: "no-store" };
  if (data.has("picture")) options.body = data.get("picture");
  if (data.has("body")) {
    options.body = JSON.stringify(JSON.parse(data.get("body")));
    headers["Content-Type"] = "application/json";
  }
  return { url: pathOf(path, query), options };
}

// The answer

async function show(response, place, stopper, time) {
  if (response.type === "opaqueredirect") {
    place.replaceChildren(el("p", { role: "status" }, say("api.leads-away")));
    return;
  }
  const status = `${response.status} ${response.statusText}`.trim();
  const head = el("p", { class: response.ok ? "status" : "status bad", role: "status" }, say("api.answered", { status, time: time() }));
  const told = TELLING.filter((name) => response.headers.has(name)).map((name) => `${name}: ${response.headers.get(name)}`);
  const body = el("div", {});
  place.replaceChildren(head, el("pre", { class: "code headers", tabindex: "0" }, told.join("\n")), body, el("p", {}, stopper));
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("image/")) await showPicture(response, body);
  else if (/^(text\/|application\/(json|problem\+json|openapi))/.test(type)) await showText(response, body, type.includes("json"));
  else await showBytes(response, body);
}

async function showPicture(response, body) {
  const image = el("img", { src: URL.createObjectURL(await response.blob()), alt: say("api.picture-came") });
  image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  body.replaceChildren(image);
}

async function showBytes(response, body) {
  const count = (await response.arrayBuffer()).byteLength;
  body.replaceChildren(el("p", { class: "hint" }, count ? say("api.bytes", { count }) : say("api.empty")));
}

/** Text as it comes, so that events are seen when they happen; JSON is laid out when all of it is there. */
async function showText(response, body, isJson) {
  const shown = el("pre", { class: "code body", tabindex: "0" });
  body.replaceChildren(shown);
  let text = "";
  for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader(); ; ) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
    shown.append(value.slice(0, Math.max(0, SHOWN_MAX - shown.textContent.length)));
    if (text.length > SHOWN_MAX) {
      await reader.cancel();
      body.append(el("p", { class: "hint" }, say("api.cut", { count: SHOWN_MAX })));
      return;
    }
  }
  if (text === "") body.replaceChildren(el("p", { class: "hint" }, say("api.empty")));
  else if (isJson) shown.textContent = laidOut(text);
}

function laidOut(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2).slice(0, SHOWN_MAX);
  } catch {
    return text;
  }
}

function timeOf(milliseconds) {
  return milliseconds < 1000 ? say("api.milliseconds", { count: Math.round(milliseconds) }) : duration(milliseconds / 1000);
}
