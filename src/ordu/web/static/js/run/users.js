// Run it, users: found by name or number, and one of them looked at.
import { call } from "../api.js";
import { $, announce, el, explained } from "../dom.js";
import { duration, number, say } from "../say.js";
import { inspect } from "./inspector.js";
import { act, chip, choice, field, table } from "./parts.js";

const PAGE_SIZE = 25;
const PAUSE_MS = 250; // after the last letter typed

/** Show them; `about` is the number of the user to look at. */
export async function open(place, context) {
  const search = el("input", { class: "in", type: "search", autocomplete: "off", maxlength: "100" });
  const order = choice([["kudos", say("run.by-kudos")], ["age", say("run.by-age")]]);
  const list = el("div", {});
  const side = el("aside", { class: "insp", "aria-label": say("run.user"), hidden: true });
  const filters = el("form", { class: "filters gap", role: "search" }, field(say("run.find-user"), search, say("run.find-user-hint")), field(say("run.order"), order));
  place.append(filters, el("div", { class: "split gap-s" }, list, side));
  const look = () => shown(list, search.value.trim(), order.value, context);
  let timer = null;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  order.addEventListener("change", look);
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    look();
  });
  if (context.about) await inspect(side, context.about, context, look);
  else context.head(say("run.users"), say("run.users-how"));
  await look();
  if (context.about && matchMedia("(max-width: 760px)").matches) side.scrollIntoView();
}

async function shown(list, wanted, order, context) {
  try {
    const first = await found(wanted, order, 1);
    if (!first.length) {
      list.replaceChildren(el("p", { class: "muted" }, say("run.no-user")));
      announce(say("run.no-user"));
      return;
    }
    fill(list, first, wanted, order, context);
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    list.replaceChildren(explained(problem));
  }
}

function fill(list, first, wanted, order, context) {
  const heads = [say("run.user"), [say("run.joined"), "n hide-s"], [say("run.kudos"), "n"], say("run.standing")];
  const rows = table(say("run.users"), heads, first.map((user) => rowOf(user, context)));
  const trouble = el("div", { "aria-live": "polite" });
  let page = 1;
  const more = act(say("run.more"), async () => {
    const next = await found(wanted, order, ++page);
    $("tbody", rows).append(...next.map((user) => rowOf(user, context)));
    more.hidden = next.length < PAGE_SIZE;
    announce(say("run.users-more", { count: next.length }));
  }, { kind: "b gap-s", trouble });
  more.hidden = first.length < PAGE_SIZE;
  list.replaceChildren(rows, more, trouble);
}

/** Users by number (17, #17, name#17), by the beginning of their names, or all. */
async function found(wanted, sort, page) {
  const named = wanted.match(/^(?:.*#)?(\d{1,10})$/);
  if (!named) return call("GET", "/api/v2/users", { query: { page, ...(wanted ? { name: wanted } : { sort }) } });
  try {
    return page === 1 ? [await call("GET", `/api/v2/users/${named[1]}`)] : [];
  } catch (problem) {
    if (problem.status === 404) return [];
    throw problem;
  }
}

function rowOf(user, context) {
  const isOpen = String(user.id) === context.about;
  const link = el("a", { href: `#users=${user.id}`, "aria-current": isOpen ? "true" : null }, user.username);
  return el("tr", { class: isOpen ? "sel" : null }, el("td", {}, link), el("td", { class: "n hide-s muted" }, say("run.ago", { time: duration(user.account_age) })), el("td", { class: "n" }, number(user.kudos, 0)), el("td", {}, el("span", { class: "chips" }, standing(user))));
}

// What somebody is, in words.
function standing(user) {
  const words = [];
  if (user.id === 1) words.push(chip(say("run.administrator")));
  else if (user.moderator) words.push(chip(say("run.moderator")));
  if (user.deleted) words.push(chip(say("run.deleted"), true));
  if (user.flagged) words.push(chip(say("run.flagged"), true));
  if (user.trusted && !user.moderator) words.push(chip(say("run.trusted")));
  if (user.education) words.push(chip(say("run.education")));
  if (user.service) words.push(chip(say("run.service")));
  return words;
}
