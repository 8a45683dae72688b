// The machines of one user, also those that are away: paused and let go on together.
import { call } from "../api.js";
import { el, toast } from "../dom.js";
import { say } from "../say.js";
import { act, chip } from "./parts.js";

const SHOWN_MAX = 20;

/** A user's machines, with what is done to all of them. */
export async function machinesOf(it) {
  const ids = (it.user.worker_ids ?? []).slice(0, SHOWN_MAX);
  const found = await Promise.allSettled(ids.map((id) => call("GET", `/api/v2/workers/${id}`)));
  const machines = found.filter((each) => each.status === "fulfilled").map((each) => each.value);
  if (!machines.length) return el("p", { class: "small muted gap-s" }, say("run.no-machines"));
  const rows = machines.map((machine) => el("li", {}, el("b", {}, machine.name), el("span", { class: "chips" }, states(machine))));
  const working = machines.filter((machine) => !machine.paused);
  const paused = machines.filter((machine) => machine.paused);
  const acts = [];
  if (working.length) acts.push(act(say("run.pause-theirs", { count: working.length }), () => pause(it, working, true), { kind: "b s danger", trouble: it.trouble }));
  if (paused.length) acts.push(act(say("run.resume-theirs", { count: paused.length }), () => pause(it, paused, false), { trouble: it.trouble }));
  const hidden = (it.user.worker_ids ?? []).length - ids.length;
  return el("section", { class: "gap-s" }, el("h3", { class: "lab" }, say("run.machines")), el("ul", { class: "theirs" }, rows), hidden > 0 && el("p", { class: "hint" }, say("run.machines-hidden", { count: hidden })), el("div", { class: "row gap-xs" }, acts));
}

/** How a machine stands, in words. */
export function states(machine) {
  const words = [];
  if (!machine.online) words.push(chip(say("run.away")));
  if (machine.paused) words.push(chip(say("run.paused"), true));
  if (machine.maintenance_mode) words.push(chip(say("run.in-maintenance")));
  if (machine.suspicious) words.push(chip(say("run.suspected", { count: machine.suspicious }), true));
  if (!words.length) words.push(chip(say("run.here")));
  return words;
}

async function pause(it, machines, isPaused) {
  const set = async (value) => {
    for (const machine of machines) await call("PUT", `/api/v2/workers/${machine.id}`, { body: { paused: value, reason: it.why() } });
    await it.show();
  };
  await set(isPaused);
  toast(say(isPaused ? "run.were-paused" : "run.were-resumed", { count: machines.length }), () => set(!isPaused));
}
