// Run it: who may, and which section is open. Each section is a module of its own in `run/`.
import { $, announce, el, explained } from "./dom.js";
import { me, runsHorde } from "./session.js";
import { say } from "./say.js";
import { pathOf } from "./api.js";
import * as overview from "./run/overview.js";
import * as modes from "./run/modes.js";
import * as users from "./run/users.js";
import * as machines from "./run/machines.js";
import * as news from "./run/news.js";
import * as settings from "./run/settings.js";
import * as health from "./run/health.js";
import * as audit from "./run/audit.js";

const SECTIONS = { overview, modes, users, machines, news, settings, health, audit };
const FOR_ADMINISTRATOR = new Set(["settings"]);
let opened = 0;

document.addEventListener("ordu:me", (event) => begin(event.detail));
addEventListener("hashchange", async () => open(await me(), true));
$("#section").addEventListener("change", (event) => (location.hash = event.target.value));
begin(await me());

/** Show the section that the address names to those who may see it; tell others who may. */
function begin(user) {
  const may = runsHorde(user);
  $("#rail").hidden = $("#rail-phone").hidden = !may;
  for (const name of FOR_ADMINISTRATOR) {
    for (const place of document.querySelectorAll(`[data-section="${name}"], option[value="${name}"]`)) place.hidden = user?.id !== 1;
  }
  return may ? open(user, false) : refuse(user);
}

function refuse(user) {
  if (user === null) {
    head(say("run.sign-in"), say("run.for-whom"));
    $("#place").replaceChildren(el("p", { class: "gap" }, el("a", { class: "b main", href: pathOf("/account") }, say("common.sign-in"))));
    return;
  }
  head(say("run.may-not"), say("run.who-gives", { name: user.username }));
  $("#place").replaceChildren();
}

async function open(user, isMove) {
  const [wanted, about = ""] = decodeURIComponent(location.hash.slice(1)).split("=");
  const name = wanted in SECTIONS ? wanted : "overview";
  const number = ++opened;
  for (const link of document.querySelectorAll("#rail a")) {
    if (link.dataset.section === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  $("#section").value = name;
  const place = el("div", {});
  // What the section before still brings is not shown any more.
  const isOpen = () => number === opened;
  const context = { user, isAdministrator: user.id === 1, about, head: (...said) => isOpen() && head(...said) };
  head(say(`run.${name}`));
  $("#place").replaceChildren(place);
  if (isMove) announceMove(name);
  try {
    await SECTIONS[name].open(place, context);
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    place.append(explained(problem));
  }
}

function announceMove(name) {
  $("#lead").focus({ preventScroll: false });
  announce(say(`run.${name}`));
}

/** The sentence on top, and the one below it. */
function head(first, second = "") {
  $("#lead").replaceChildren(first);
  $("#sublead").replaceChildren(second);
  $("#sublead").hidden = second === "";
}
