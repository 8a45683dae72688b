// The true sentence on top of the page, the same as web/standing.py says it.
import { $, el } from "../dom.js";
import { duration, say } from "../say.js";

/** Say how things stand: `now` is that of `get_horde_history`, `camp` counts machines by what they are at. */
export function showSentence(now, camp, isClosed) {
  const [first, lit, second] = sentence(now, camp, isClosed);
  const parts = [`${first} `, ...(lit ? [el("span", { class: "lit" }, lit), " "] : []), el("span", { class: "soft" }, second)];
  const before = $("#sentence").textContent;
  const after = parts.map((part) => part.textContent ?? part).join("");
  if (before !== after) $("#sentence").replaceChildren(...parts);
}

function sentence(now, { drawing, waiting, paused }, isClosed) {
  if (isClosed) return [say("horde.closed"), "", say(now.waiting ? "horde.kept" : "horde.come-back")];
  const here = drawing + waiting + paused;
  if (here === 0) {
    return now.waiting ? [say("horde.no-machine-and"), "", say("horde.wait-for-one", { count: now.waiting })] : [say("horde.no-machine"), "", say("horde.lend-one")];
  }
  const machines = say("horde.machines", { count: here });
  const isIdle = paused === here;
  if (drawing) {
    const lit = here === 1 ? say("horde.and-drawing") : say("horde.of-them-drawing", { count: drawing });
    return [say("horde.here-and", { machines }), lit, queue(now, isIdle)];
  }
  if (isIdle) return [say("horde.all-paused", { count: here }), "", queue(now, isIdle)];
  return [paused ? say("horde.some-paused", { machines, count: paused }) : say("horde.here", { machines }), "", queue(now, isIdle)];
}

function queue(now, isIdle) {
  const wait = now.wait_time === null ? null : duration(Math.max(1, now.wait_time));
  if (now.waiting) return wait === null ? say("horde.wait", { count: now.waiting }) : say("horde.wait-and-takes", { count: now.waiting, wait });
  if (isIdle) return say("horde.nobody-waits");
  return wait === null ? say("horde.ask-now") : say("horde.takes", { wait });
}
