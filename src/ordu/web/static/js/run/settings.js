// Run it, settings: what the server runs with and where each value comes from. For the administrator.
import { call } from "../api.js";
import { announce, el } from "../dom.js";
import { say } from "../say.js";
import { field, table } from "./parts.js";

/** Show them. */
export async function open(place, { head }) {
  const settings = await call("GET", "/api/v2/operations/settings");
  const changed = settings.filter((each) => each.source !== "default").length;
  head(say("run.settings-changed", { count: changed }), say("run.settings-how"));
  const search = el("input", { class: "in", type: "search", autocomplete: "off" });
  const onlySet = el("input", { type: "checkbox" });
  const found = el("div", { class: "gap-s" });
  const show = () => {
    const wanted = search.value.trim().toLowerCase();
    const shown = settings.filter((each) => (!onlySet.checked || each.source !== "default") && `${each.name} ${each.meaning} ${each.value} ${each.origin}`.toLowerCase().includes(wanted));
    found.replaceChildren(shown.length ? tableOf(shown) : el("p", { class: "muted" }, say("run.no-setting")));
    announce(say("run.settings-shown", { count: shown.length }));
  };
  search.addEventListener("input", show);
  onlySet.addEventListener("change", show);
  place.append(el("div", { class: "filters gap" }, field(say("run.find-setting"), search), el("label", { class: "check" }, onlySet, el("span", {}, say("run.only-set")))), found);
  show();
}

function tableOf(settings) {
  const heads = [say("run.setting"), say("run.value"), [say("run.from"), "hide-s"], [say("run.meaning"), "hide-s"]];
  return table(say("run.settings"), heads, settings.map(rowOf));
}

function rowOf(setting) {
  const isSet = setting.source !== "default";
  const value = el("code", {}, setting.value || say("run.empty"));
  const unit = setting.unit && setting.value ? el("small", {}, setting.unit) : null;
  const origin = isSet ? setting.origin : say("run.default");
  const instead = isSet && setting.default && setting.default !== setting.value ? el("small", {}, say("run.default-is", { value: setting.default })) : null;
  return el("tr", {}, el("th", { scope: "row", class: "setting" }, el("code", {}, setting.name)), el("td", { class: isSet ? "ink" : "muted" }, value, unit, instead), el("td", { class: "hide-s muted origin" }, origin), el("td", { class: "hide-s muted" }, setting.meaning, el("small", {}, say("run.takes", { what: setting.takes }))));
}
