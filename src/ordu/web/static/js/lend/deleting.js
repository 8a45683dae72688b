// Deleting a machine: in ten seconds, unless that is taken back. Who leaves the page means it: it is done at once.
import { pathOf, send } from "../api.js";
import { $, announce, el, explained, toast } from "../dom.js";
import { key } from "../key.js";
import { say } from "../say.js";

const UNDO_MS = 10_000;
const leaving = new Set();

/** Take a machine from the page, with a way back; `button` is where that was pressed. */
export function leave(machine, button, place, changed) {
  const { worker, element } = machine;
  const kept = [...element.childNodes];
  const undo = el("button", { type: "button", class: "b" }, say("lend.undo-delete", { name: worker.name }));
  const text = say(worker.online ? "lend.deleting-online" : "lend.deleting-text");
  const note = el("div", { class: "note" }, el("p", {}, el("b", {}, say("lend.deleting-title", { name: worker.name }))), el("p", {}, text), undo);
  const isOver = { path: pathOf(pathTo(worker)), key: key(), timer: setTimeout(remove, UNDO_MS) };
  place.replaceChildren();
  machine.isLeaving = true;
  leaving.add(isOver);
  element.replaceChildren(note);
  undo.focus();
  announce(`${say("lend.deleting-title", { name: worker.name })} ${text}`);

  undo.addEventListener("click", () => {
    comeBack();
    announce(say("lend.kept", { name: worker.name }));
  });

  function comeBack() {
    clearTimeout(isOver.timer);
    leaving.delete(isOver);
    machine.isLeaving = false;
    element.replaceChildren(...kept);
    button.focus();
  }

  async function remove() {
    leaving.delete(isOver);
    undo.hidden = true;
    try {
      await send("DELETE", pathTo(worker), { key: isOver.key });
    } catch (problem) {
      if (problem.name !== "Problem") throw problem;
      comeBack();
      if (problem.status !== 404) place.replaceChildren(explained(problem));
      await changed();
      return;
    }
    machine.isLeaving = false;
    toast(say("lend.deleted-done", { name: worker.name }));
    if (element.contains(document.activeElement) || document.activeElement === document.body) $("#machines-title").focus();
    await changed();
  }
}

// `keepalive` lets the call outlive the page.
addEventListener("pagehide", () => {
  for (const each of leaving) {
    clearTimeout(each.timer);
    fetch(each.path, { method: "DELETE", headers: { apikey: each.key }, credentials: "omit", keepalive: true }).catch(() => {});
  }
  leaving.clear();
});

// A page that is shown again as it was left: what was deleted is gone, so it is made anew.
addEventListener("pageshow", (event) => event.persisted && location.reload());

function pathTo(worker) {
  return `/api/v2/workers/${encodeURIComponent(worker.id)}`;
}
