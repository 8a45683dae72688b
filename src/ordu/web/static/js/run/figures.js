// How the horde is: the figures of its health, and what of them wants somebody's hand.
import { el } from "../dom.js";
import { number, say, when } from "../say.js";

const FREE_LEAST = 0.1; // of a disk
const FAULTED_MOST = 0.1; // of the jobs of a day
const FAULTED_FEW = 20; // fewer jobs say nothing
const SLOW_MS = 250;

/** What is wrong, the worst first: `text`, where to do something about it, and whether it is bad. */
export function troubles(health, modes) {
  const found = [];
  const { books, pictures } = health;
  const jobs = health.pictures_day + health.faulted_day;
  if (books?.balanced === false) found.push({ text: say("run.books-wrong", { count: books.wrong }), isBad: true, link: "#health", label: say("run.see-health") });
  if (pictures.free_bytes !== null && pictures.free_bytes < FREE_LEAST * pictures.disk_bytes) found.push({ text: say("run.disk-full", { free: bytes(pictures.free_bytes) }), isBad: true, link: "#health", label: say("run.see-health") });
  if (health.pictures_waiting > 0 && health.workers === 0) found.push({ text: say("run.nobody-works", { count: health.pictures_waiting }), isBad: true, link: "#machines", label: say("run.see-machines") });
  if (modes.maintenance_mode) found.push({ text: say("run.is-closed"), link: "#modes", label: say("run.end-maintenance") });
  if (modes.raid_mode) found.push({ text: say("run.is-raided"), link: "#modes", label: say("run.see-modes") });
  if (jobs >= FAULTED_FEW && health.faulted_day > FAULTED_MOST * jobs) found.push({ text: say("run.many-faults", { count: health.faulted_day, jobs: number(jobs, 0) }), link: "#machines", label: say("run.see-machines") });
  if (health.handing_out_ms > SLOW_MS) found.push({ text: say("run.slow", { ms: number(health.handing_out_ms, 0) }), link: "#health", label: say("run.see-health") });
  return found;
}

/** The four figures that matter most. */
export function figures(health) {
  const { pictures } = health;
  const used = pictures.disk_bytes ? 1 - pictures.free_bytes / pictures.disk_bytes : null;
  return el(
    "dl",
    { class: "health" },
    figure(say("run.handing-out"), health.handing_out_ms === null ? say("run.nothing-yet") : say("run.ms", { ms: number(health.handing_out_ms, 1) }), health.jobs_handed_out ? say("run.of-newest", { count: health.jobs_handed_out }) : ""),
    figure(say("run.jobs-lost"), number(health.faulted_day, 0), say("run.of-jobs", { count: health.pictures_day + health.faulted_day })),
    figure(say("run.books"), ...books(health)),
    figure(say("run.disk"), used === null ? say("run.not-told") : say("run.percent", { share: number(used * 100, 0) }), pictures.free_bytes === null ? (pictures.place === "s3" ? say("run.on-s3") : "") : say("run.free", { free: bytes(pictures.free_bytes) })),
  );
}

function figure(name, value, rest) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value, " ", rest && el("small", {}, rest)));
}

function books({ books: found }) {
  if (found === null) return [say("run.not-read-yet"), say("run.soon-read")];
  const checked = say("run.checked", { when: when(found.checked) });
  if (found.balanced === null) return [say("run.too-many"), say("run.by-command")];
  return [found.balanced ? say("run.balanced") : say("run.wrong", { count: found.wrong }), checked];
}

/** So many bytes in the unit that fits. */
export function bytes(count) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: units[step], unitDisplay: "short", maximumFractionDigits: step > 2 ? 1 : 0 }).format(count / 1000 ** step);
}
