// What owners do to a machine: pause it, let it go on, change what it is called and what is said of it.
import { send } from "../api.js";
import { $, busy, explained, toast } from "../dom.js";
import { say } from "../say.js";
import { tidied } from "./command.js";

/** Ask whether to pause a machine and with which words; then do it. */
export function askForPause(worker, changed) {
  const text = $("#pause-text");
  text.value = "";
  ask("#pausing", say("lend.pause-title", { name: worker.name }), say("lend.pausing"), async () => {
    const words = text.value.trim();
    await change(worker, { maintenance: true, ...(words ? { maintenance_msg: words } : {}) });
    toast(say("lend.paused-done", { name: worker.name }), () => takeBack(worker, { maintenance: false }, changed));
    await changed();
  });
}

/** Let it take work of others again. */
export async function resume(worker, button, place, changed) {
  place.replaceChildren();
  const work = async () => {
    await change(worker, { maintenance: false });
    toast(say("lend.resumed-done", { name: worker.name }));
    await changed();
  };
  await busy(button, say("lend.resuming"), work, (problem) => place.replaceChildren(explained(problem)));
}

/** Ask for another name or another text, and keep what is different. */
export function askForChange(worker, changed) {
  const name = $("#new-name");
  const info = $("#new-info");
  name.value = worker.name;
  info.value = worker.info ?? "";
  name.setCustomValidity("");
  name.oninput = () => name.setCustomValidity(tidied(name.value) ? "" : say("lend.name-needed"));
  ask("#changing", say("lend.change-title", { name: worker.name }), say("lend.keeping"), async () => {
    const body = {
      ...(tidied(name.value) === worker.name ? {} : { name: tidied(name.value) }),
      ...(info.value.trim() === (worker.info ?? "") ? {} : { info: info.value.trim() }),
    };
    if (Object.keys(body).length === 0) {
      toast(say("lend.nothing-to-change"));
      return;
    }
    await change(worker, body);
    toast(say("lend.changed-done", { name: body.name ?? worker.name }));
    await changed();
  });
}

/** Open a dialog; `work` is done when it is sent, and what goes wrong is said in it. */
function ask(selector, title, doing, work) {
  const dialog = $(selector);
  const place = $(".said-problem", dialog);
  $("h2", dialog).textContent = title;
  place.replaceChildren();
  $("[value=cancel]", dialog).onclick = () => dialog.close();
  $("form", dialog).onsubmit = (event) => {
    event.preventDefault();
    busy($("[value=go]", dialog), doing, () => work().then(() => dialog.close()), (problem) => place.replaceChildren(explained(problem)));
  };
  dialog.showModal();
}

async function takeBack(worker, body, changed) {
  await change(worker, body);
  await changed();
}

async function change(worker, body) {
  await send("PUT", `/api/v2/workers/${encodeURIComponent(worker.id)}`, { body });
}
