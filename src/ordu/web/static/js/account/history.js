// The history of kudos on the page Account: by kind and month, further back, and as a table to keep.
import { send, call } from "../api.js";
import { $, announce, busy, el, explained, toast } from "../dom.js";
import { language, say, when } from "../say.js";

const HISTORY = "/api/v2/kudos/history";
const PAGE = 50;
const MONTHS_MOST = 120;
const LAST_PICTURES = 20; // of which it is said for how many more there is enough
const LAST_PICTURES_LEAST = 3;
const CSV_PARTS_MOST = 200;
const SEARCHES_MOST = 5; // parts without a movement that are looked at by themselves
const CSV_TIMEOUT_MS = 120_000;

let wanted = {}; // what is asked for: kind, since, until
let cursor = null;
let asking = 0; // the number of the newest question: answers to older ones are late

for (const button of $("#kinds").querySelectorAll("button")) {
  button.addEventListener("click", () => {
    for (const each of $("#kinds").querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === button));
    ask();
  });
}
$("#month").addEventListener("change", () => ask());
$("#more").addEventListener("click", () => busy($("#more"), say("account.loading"), () => read(asking), tell));
$("#csv").addEventListener("click", () => busy($("#csv"), say("account.saving"), saveTable, tell));

/** Show the history of a user who is here since a moment. */
export function showHistory(user, since) {
  fillMonths(since);
  return ask();
}

/** For how many pictures like the last ones there is enough; null when too few are known to say. */
export async function enoughFor(user) {
  if (user.kudos <= 0) return null;
  const { entries } = await call("GET", HISTORY, { query: { kind: "spent", limit: LAST_PICTURES } });
  if (entries.length < LAST_PICTURES_LEAST) return null;
  const mean = -entries.reduce((sum, each) => sum + each.amount, 0) / entries.length;
  const count = Math.floor(user.kudos / mean);
  return count >= 1 ? rounded(count) : null;
}

// Two figures are as many as such a guess has.
function rounded(count) {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return Math.floor(count / step) * step;
}

function fillMonths(since) {
  const select = $("#month");
  if (select.options.length > 1) return;
  const now = new Date();
  const named = new Intl.DateTimeFormat(language, { month: "long", year: "numeric" });
  for (let back = 0; back < MONTHS_MOST; back += 1) {
    const month = new Date(now.getFullYear(), now.getMonth() - back, 1);
    const end = new Date(month.getFullYear(), month.getMonth() + 1, 1);
    if (end < since) break;
    select.append(el("option", { value: `${month.toISOString()} ${end.toISOString()}` }, named.format(month)));
  }
}

async function ask() {
  asking += 1;
  const [since, until] = $("#month").value.split(" ");
  wanted = { kind: $('#kinds [aria-pressed="true"]').dataset.kind, since, until };
  cursor = null;
  $("#history-problem").replaceChildren();
  const mine = asking;
  try {
    await read(mine, true);
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    if (mine === asking) tell(problem);
  }
}

async function read(mine, isFirst = false) {
  const found = [];
  for (let search = 0; search < SEARCHES_MOST; search += 1) {
    const part = await call("GET", HISTORY, { query: { ...wanted, cursor, limit: PAGE } });
    if (mine !== asking) return;
    found.push(...part.entries);
    cursor = part.next;
    if (found.length || cursor === null) break;
  }
  if (isFirst) $("#movements").replaceChildren();
  const first = $("#movements").rows.length;
  $("#movements").append(...found.map(row));
  $("#history-problem").replaceChildren();
  $("#more").hidden = cursor === null;
  $("#history-table").hidden = !$("#movements").rows.length;
  sayNothing();
  if (!isFirst && found.length) focusRow(first);
}

function focusRow(first) {
  const next = $("#movements").rows[first];
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
}

function sayNothing() {
  const isEmpty = !$("#movements").rows.length;
  $("#nothing").hidden = !isEmpty;
  if (!isEmpty) return;
  const isFiltered = Boolean(wanted.kind || wanted.since);
  const why = cursor !== null ? "account.searching-on" : isFiltered ? "account.nothing-fits" : "account.nothing";
  $("#nothing-title").textContent = say(why);
  $("#nothing-more").textContent = isFiltered ? "" : say("account.nothing-more");
  $("#nothing-act").hidden = isFiltered;
  announce($("#nothing-title").textContent);
}

function tell(problem) {
  $("#history-problem").replaceChildren(explained(problem));
}

// One movement

const exact = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const signed = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" });

function row(movement) {
  const [what, more] = described(movement);
  const held = movement.evaluating > 0 ? say("account.evaluating", { amount: exact.format(movement.evaluating) }) : null;
  return el("tr", {},
    el("td", {}, el("time", { datetime: movement.date }, moment(movement.date))),
    el("td", {}, el("b", {}, what), more && el("small", {}, more), held && el("small", {}, held)),
    el("td", { class: movement.amount > 0 ? "n up" : "n" }, signed.format(movement.amount).replace("-", "−")),
    el("td", { class: "n hide-s balance" }, exact.format(movement.balance)));
}

function moment(date) {
  const isToday = new Date(date).toDateString() === new Date().toDateString();
  return when(date, isToday ? "time" : "moment");
}

function described(movement) {
  const machine = movement.worker_name;
  const about = movement.about ?? {};
  const picture = about.model ? (about.width ? say("account.picture", { model: about.model, width: String(about.width), height: String(about.height) }) : about.model) : "";
  switch (movement.action) {
    case "picture":
      if (movement.amount < 0) return [say("account.asked"), machine && picture ? say("account.asked-by", { picture, machine }) : picture];
      return [machine ? say("account.made", { machine }) : say("account.made-gone"), picture && say("account.made-for", { picture })];
    case "uptime":
      return [say("account.uptime"), machine ?? ""];
    case "transfer":
      if (movement.amount < 0) return [about.user ? say("account.given-to", { user: about.user }) : say("account.given-to-somebody"), ""];
      return [about.user ? say("account.received-from", { user: about.user }) : say("account.received-from-somebody"), ""];
    case "trust":
      return [say("account.trust"), say("account.trust-more")];
    case "recurring":
      return [say("account.recurring"), ""];
    case "awarded":
      return [say(movement.amount < 0 ? "account.taken" : "account.awarded"), ""];
    default:
      return [say("account.admin"), ""];
  }
}

// A table to keep

async function saveTable() {
  const parts = [];
  let query = { ...wanted };
  for (let part = 0; part < CSV_PARTS_MOST && query; part += 1) {
    const response = await send("GET", HISTORY, { query, headers: { Accept: "text/csv" }, timeoutMs: CSV_TIMEOUT_MS });
    const text = await response.text();
    parts.push(parts.length ? text.slice(text.indexOf("\r\n") + 2) : text);
    const next = /<[^>]*[?&]cursor=(\d+)/.exec(response.headers.get("Link") ?? "");
    query = next && { ...wanted, cursor: next[1] };
  }
  // Spreadsheets read UTF-8 only after this mark.
  save(new Blob(["\ufeff", ...parts], { type: "text/csv" }), "kudos.csv");
  const count = parts.reduce((sum, text) => sum + text.split("\r\n").length - 1, 0) - 1;
  toast(say("account.saved-csv", { count }));
}

/** Hand a file to whoever is at the browser: the key goes in a header, so a link would not do. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
