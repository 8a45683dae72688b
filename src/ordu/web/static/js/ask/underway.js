// Requests that are not done yet. What shows and follows them is asked for when there is one.
import * as kept from "./kept.js";
import { isShown, placed } from "./stage.js";

let isStarted = false;

/** Make this part of the page live. */
export function startUnderway() {
  document.addEventListener("ordu:asked", ({ detail }) => kept.keep("requests", placed(detail, Date.now())));
  kept.onChange(({ store }) => store === "requests" && look());
  look();
}

async function look() {
  if (isStarted || !(await kept.all("requests")).some(isShown) || isStarted) return;
  isStarted = true;
  (await import("./strips.js")).startStrips();
}
