// The page Register, where the horde asks for work before it makes an account: the form is sent when that is done.
import { Problem, call } from "./api.js";
import { $, announce, busy, el, explained } from "./dom.js";
import { say } from "./say.js";

const form = $("#take");
if ("asksForWork" in form.dataset) form.addEventListener("submit", begin);

/** Do the work, then send the form with it. */
function begin(event) {
  event.preventDefault();
  $("#work-problem").replaceChildren();
  busy(event.submitter ?? $("button", form), say("register.button"), work, (problem) => {
    $("#working").hidden = true;
    $("#work-problem").replaceChildren(explained(problem));
  });
}

async function work() {
  const challenge = await call("GET", "/register/challenge", { key: null });
  $("#work-done").value = 0;
  $("#working").hidden = false;
  $("#working").focus();
  const numbers = await solve(challenge, (done) => {
    $("#work-done").value = done / challenge.parts;
    if (done % 4 === 0) announce(say("register.work-done", { done, parts: challenge.parts }));
  });
  for (const [name, value] of [["challenge", challenge.challenge], ["numbers", numbers.join(",")]]) {
    form.querySelector(`[name="${name}"]`)?.remove();
    form.append(el("input", { type: "hidden", name, value }));
  }
  form.submit();
}

/** The numbers that solve each part of a challenge, found beside the page so that it stays alive. */
function solve(challenge, tell) {
  const numbers = [];
  const solver = new Worker(new URL("./register/solver.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    solver.onerror = () => reject(new Problem(0, "WorkBroken", say("register.work-broken")));
    solver.onmessage = ({ data: number }) => {
      numbers.push(number);
      tell(numbers.length);
      if (numbers.length === challenge.parts) resolve(numbers);
    };
    solver.postMessage(challenge);
  }).finally(() => solver.terminate());
}
