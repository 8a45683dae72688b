// What a machine earned in the last 14 days: bars, their sum, and the same as a table.
import { call } from "../api.js";
import { el, svg } from "../dom.js";
import { number, say, when } from "../say.js";

const DAYS = 14;
const DAY_MS = 86_400_000;
const WIDTH = 219;
const HEIGHT = 56;
const BAR = 11;
const STEP = 16;
const FEW = 10;
const LEAST = 1.5; // a day without kudos is a line

/** What each of the last 14 days (UTC) earned; null where this horde does not tell it. */
export async function earningsOf(workerId) {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const dates = Array.from({ length: DAYS }, (_, index) => isoDay(today - (DAYS - 1 - index) * DAY_MS));
  const query = { by: "day", worker_id: workerId, since: `${dates[0]}T00:00:00Z` };
  try {
    const { days } = await call("GET", "/api/v2/kudos/history", { query });
    const earned = new Map(days.map((day) => [day.date, day.earned]));
    return dates.map((date) => ({ date, earned: earned.get(date) ?? 0 }));
  } catch (problem) {
    if (problem.name === "Problem" && [404, 405, 501].includes(problem.status)) return null;
    throw problem;
  }
}

/** The sum of some days. */
export function sumOf(days) {
  return days.reduce((sum, day) => sum + day.earned, 0);
}

/** The bars with what stands below them; the last is lit while the machine draws. */
export function drawn(days, isLit) {
  const kudos = rounded(sumOf(days));
  const most = Math.max(1, ...days.map((day) => day.earned));
  const bars = days.map((day, index) => barOf(day, index, most, isLit && index === DAYS - 1));
  const label = say("lend.earned-label", { kudos });
  return [
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, ...bars),
    el("p", {}, el("span", {}, say("lend.days-14")), el("b", {}, say("lend.earned", { kudos }))),
    el("details", {}, el("summary", {}, say("lend.earned-table")), tableOf(days)),
  ];
}

/** Kudos as they are read at a glance: whole ones, unless they are few. */
export function rounded(kudos) {
  return number(kudos, Math.abs(kudos) < FEW ? 2 : 0);
}

/** What stands there instead, where days are not told. */
export function untold(kudosInAll) {
  const kudos = say("lend.earned", { kudos: rounded(kudosInAll) });
  return [
    el("p", {}, el("span", {}, say("lend.earned-in-all")), el("b", {}, kudos)),
    el("p", { class: "hint" }, say("lend.earned-not-told")),
  ];
}

function barOf(day, index, most, isLit) {
  const height = Math.max(LEAST, (Math.max(0, day.earned) / most) * HEIGHT);
  const place = { x: index * STEP, y: HEIGHT - height, width: BAR, height };
  return svg("rect", { class: isLit ? "bar e" : "bar", ...place });
}

function tableOf(days) {
  const head = el("tr", {}, el("th", { scope: "col" }, say("lend.day")), el("th", { scope: "col", class: "n" }, say("lend.kudos")));
  const rows = days.map((day) =>
    el("tr", {}, el("th", { scope: "row" }, dayOf(day.date)), el("td", { class: "n" }, number(day.earned))),
  );
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
}

/** A day of UTC by its name, whatever the visitor's zone: noon is that day nearly everywhere. */
function dayOf(date) {
  return when(`${date}T12:00:00Z`, "day");
}

function isoDay(moment) {
  return new Date(moment).toISOString().slice(0, 10);
}
