// Finding an operation by its name, path or summary.
import { $ } from "../dom.js";
import { say } from "../say.js";

/** Let the field above the list leave only the operations that are looked for. */
export function prepareFilter() {
  const operations = [...document.querySelectorAll(".rail li")].map((item) => {
    const article = document.getElementById(item.firstElementChild.hash.slice(1));
    const text = `${article.id} ${article.querySelector("h3").textContent} ${article.querySelector(".summary").textContent}`;
    return { item, article, text: text.toLowerCase() };
  });
  const field = $("#filter");
  field.closest(".filter").hidden = false;
  field.addEventListener("input", () => show(operations, field.value));
  show(operations, field.value); // a browser may have kept it over a reload
}

function show(operations, wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { item, article, text } of operations) {
    const isFound = words.every((word) => text.includes(word));
    item.hidden = !isFound;
    article.classList.toggle("left-out", !isFound);
    count += isFound;
  }
  for (const part of document.querySelectorAll(".rail [data-group]")) {
    const list = part.tagName === "UL" ? part : part.nextElementSibling;
    part.hidden = !list.querySelector("li:not([hidden])");
    document.getElementById(part.dataset.group).classList.toggle("left-out", part.hidden);
  }
  $("#filtered").textContent = words.length ? say("api.filtered", { count }) : "";
}
