// The frame of every page: who is signed in, times in the visitor's zone, and what went wrong.
import { pathOf } from "./api.js";
import { $, el } from "./dom.js";
import { duration, number, say, sayWith, when } from "./say.js";
import { key } from "./key.js";
import { me, runsHorde } from "./session.js";

const RETRY_FIRST_S = 4;
const RETRY_MOST_S = 60;

for (const time of document.querySelectorAll("time[data-as]")) time.textContent = when(time.dateTime, time.dataset.as);

// Who is signed in

document.addEventListener("ordu:me", (event) => show(event.detail));
document.addEventListener("ordu:unknown-key", () => bar(say("common.unknown-key")));
if (key() !== null) me().then(show, () => {});

function show(user) {
  const groups = { guests: user === null, users: user !== null, moderators: runsHorde(user) };
  for (const element of document.querySelectorAll("[data-for]")) {
    const isHere = element.hasAttribute("aria-current") && element.dataset.for === "moderators";
    element.hidden = !groups[element.dataset.for] && !isHere;
  }
  if (user === null) return;
  const amount = number(user.kudos, 0);
  $("#my-kudos").replaceChildren(sayWith("common.kudos", { amount: el("b", {}, amount) }));
  $("#my-kudos").setAttribute("aria-label", say("common.kudos-history", { amount }));
  $("#my-name").textContent = user.username;
}

// What went wrong: said, never swallowed

addEventListener("error", (event) => event.message && bar(say("common.script-fault", { message: event.message })));
addEventListener("unhandledrejection", ({ reason }) => {
  if (reason?.name === "AbortError") return;
  if (reason?.name === "Problem") {
    if (reason.status !== 0) bar(reason.message);
  } else bar(say("common.script-fault", { message: String(reason?.message ?? reason) }));
});

function bar(...content) {
  $("#lost").replaceChildren(...content);
  $("#lost").hidden = false;
}

// A lost server: tried again, less and less often

let lostAt = null;
let waitS = RETRY_FIRST_S;
let timer = null;

document.addEventListener("ordu:unreachable", lost);
addEventListener("offline", lost);
addEventListener("online", () => lostAt && look());
document.addEventListener("ordu:reached", () => {
  if (lostAt === null) return;
  lostAt = null;
  clearTimeout(timer);
  waitS = RETRY_FIRST_S;
  $("#lost").hidden = true;
  $("#live").textContent = say("common.back");
});

function lost() {
  if (lostAt !== null) return;
  lostAt = Date.now();
  plan();
}

function plan() {
  const words = say("common.lost", { time: when(lostAt, "time"), wait: duration(waitS) });
  bar(`${words} `, el("button", { type: "button", class: "link", onclick: look }, say("common.try-again")));
  clearTimeout(timer);
  timer = setTimeout(look, waitS * 1000);
  waitS = Math.min(RETRY_MOST_S, waitS * 2);
}

async function look() {
  try {
    const response = await fetch(pathOf("/livez"), { signal: AbortSignal.timeout(8_000) });
    if (response.ok) document.dispatchEvent(new CustomEvent("ordu:reached"));
    else plan();
  } catch {
    plan();
  }
}
