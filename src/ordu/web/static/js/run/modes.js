// Run it, modes: switches of the horde as a whole. What closes it for everybody asks for a reason first.
import { call } from "../api.js";
import { announce, el, explained, toast } from "../dom.js";
import { say } from "../say.js";
import { ask } from "./parts.js";

const PATH = "/api/v2/status/modes";
const MODES = [
  { name: "maintenance_mode", words: "maintenance", isForAdministrator: true, isGrave: true },
  { name: "invite_only_mode", words: "invite" },
  { name: "raid_mode", words: "raid" },
];

/** Show them. */
export async function open(place, { isAdministrator, head }) {
  const modes = await call("GET", PATH);
  const trouble = el("div", { "aria-live": "polite" });
  const tellHead = () => head(MODES.some((mode) => modes[mode.name]) ? say("run.modes-on", { count: MODES.filter((mode) => modes[mode.name]).length }) : say("run.modes-off"));
  const switches = MODES.map((mode) => switchOf(mode, modes, isAdministrator, trouble, tellHead));
  tellHead();
  place.append(el("div", { class: "gap" }, switches), trouble);
}

function switchOf(mode, modes, isAdministrator, trouble, changed) {
  const id = `mode-${mode.words}`;
  const may = isAdministrator || !mode.isForAdministrator;
  const box = el("input", { type: "checkbox", role: "switch", id, "aria-describedby": `${id}-about`, disabled: !may });
  box.checked = modes[mode.name] === true;
  const set = async (isOn, reason) => {
    Object.assign(modes, await call("PUT", PATH, { body: { [mode.name]: isOn, reason } }));
    box.checked = modes[mode.name];
    changed();
  };
  const tell = (problem) => {
    if (problem.name !== "Problem") throw problem;
    box.checked = modes[mode.name] === true;
    trouble.replaceChildren(explained(problem));
  };
  box.addEventListener("change", () => {
    const isOn = box.checked;
    trouble.replaceChildren();
    if (mode.isGrave && isOn) {
      box.checked = false;
      ask({ title: say("run.close-title"), text: say("run.close-text"), label: say("run.close"), work: async (reason) => { await set(true, reason); announce(say("run.is-closed")); } });
      return;
    }
    const done = say(isOn ? `run.${mode.words}-went-on` : `run.${mode.words}-went-off`);
    set(isOn).then(() => toast(done, () => set(!isOn).catch(tell)), tell);
  });
  const about = el("span", { id: `${id}-about` }, say(`run.${mode.words}-about`), may ? "" : ` ${say("run.only-administrator")}`);
  return el("div", { class: "switch" }, box, el("div", {}, el("label", { for: id }, el("b", {}, say(`run.${mode.words}`))), about));
}
