// Examples: who reads one in a language reads them all in it, also the next time; and copies it.
import { copies, el } from "../dom.js";
import { say } from "../say.js";

const KEPT = "ordu.example-language";

/** Keep the language of all examples the same, and offer to copy each. */
export function prepareExamples() {
  choose(localStorage.getItem(KEPT));
  for (const examples of document.querySelectorAll(".examples")) {
    examples.addEventListener("change", ({ target }) => {
      localStorage.setItem(KEPT, target.value);
      choose(target.value);
    });
    const button = el("button", { type: "button", class: "b s" }, say("common.copy"));
    copies(button, () => examples.querySelector(`[data-language="${examples.querySelector(":checked").value}"]`).textContent);
    examples.querySelector("fieldset").after(button);
  }
}

function choose(language) {
  for (const radio of document.querySelectorAll(".examples input")) {
    if (radio.value === language) radio.checked = true;
  }
}
