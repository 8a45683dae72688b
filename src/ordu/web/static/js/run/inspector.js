// One user, as those who run the horde see and change them. What can be undone is done at once.
import { call } from "../api.js";
import { announce, el, explained, toast } from "../dom.js";
import { duration, number, say } from "../say.js";
import { act, ask, facts, field } from "./parts.js";
import { machinesOf } from "./theirs.js";

const RIGHTS = ["trusted", "flagged", "customizer", "vpn", "service", "education", "special"];

/** Show the user of this number in `side`; `changed` is called when the list beside it is old. */
export async function inspect(side, id, context, changed) {
  const trouble = el("div", { "aria-live": "polite" });
  const reason = el("input", { class: "in said", maxlength: "500", autocomplete: "off" });
  const path = `/api/v2/users/${encodeURIComponent(id)}`;
  const it = { id, path, trouble, reason, context, changed };
  it.why = () => reason.value.trim() || undefined;
  it.show = async () => {
    it.user = await call("GET", path);
    context.head(it.user.username, say("run.user-lead", { time: duration(it.user.account_age), count: it.user.worker_count }));
    side.setAttribute("aria-label", it.user.username);
    side.replaceChildren(...(await partsOf(it)));
    side.hidden = false;
  };
  it.put = async (body, told, undone) => {
    trouble.replaceChildren();
    await call("PUT", path, { body: { ...body, reason: it.why() } });
    await it.show();
    changed();
    toast(told, undone && (() => tried(it, () => it.put(undone, say("run.undone")))));
  };
  try {
    await it.show();
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    side.hidden = false;
    side.replaceChildren(explained(problem));
  }
}

// Do something; a refusal is said in the inspector.
async function tried(it, work) {
  try {
    await work();
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    it.trouble.replaceChildren(explained(problem));
    await it.show();
  }
}

async function partsOf(it) {
  const isMine = it.user.id === it.context.user.id;
  return [
    el("h2", {}, it.user.username),
    factsOf(it.user),
    field(say("run.reason"), it.reason, say("run.reason-goes")),
    it.trouble,
    rightsOf(it),
    noteOf(it),
    numbersOf(it),
    await machinesOf(it),
    graveOf(it, isMine),
    el("p", { class: "small gap-s" }, el("a", { href: `#audit=user:${it.user.id}` }, say("run.acts-upon"))),
  ];
}

function factsOf(user) {
  const reasons = user.suspicion_reasons?.length ? el("span", { class: "bad" }, user.suspicion_reasons.join(", ")) : null;
  return facts([
    [say("run.kudos"), number(user.kudos)],
    [say("run.evaluating"), user.evaluating_kudos ? number(user.evaluating_kudos) : null],
    [say("run.monthly"), user.monthly_kudos?.amount ? number(user.monthly_kudos.amount) : null],
    [say("run.asked"), say("run.pictures-count", { count: user.usage.requests })],
    [say("run.made"), say("run.pictures-count", { count: user.contributions.fulfillments })],
    [say("run.suspicion"), user.suspicious ? el("span", { class: "bad" }, number(user.suspicious, 0)) : number(0)],
    [say("run.suspected-of"), reasons],
    [say("run.contact"), user.contact],
  ]);
}

function rightsOf(it) {
  const names = it.context.isAdministrator && it.user.id > 1 ? [...RIGHTS, "moderator"] : RIGHTS;
  const boxes = names.map((name) => {
    const box = el("input", { type: "checkbox" });
    box.checked = it.user[name] === true;
    box.disabled = it.user.id === 0;
    box.addEventListener("change", () => {
      const isOn = box.checked;
      const told = say(isOn ? "run.is-now" : "run.is-no-more", { name: it.user.username, what: say(`run.${name}`) });
      tried(it, () => it.put({ [name]: isOn }, told, { [name]: !isOn }));
    });
    return el("label", { class: "check" }, box, el("span", {}, say(`run.right-${name}`)));
  });
  return el("fieldset", { class: "gap-s rights" }, el("legend", { class: "lab" }, say("run.rights")), boxes);
}

function noteOf(it) {
  const note = el("textarea", { class: "in said", rows: "3", maxlength: "500" });
  note.value = it.user.admin_comment ?? "";
  const before = it.user.admin_comment;
  const save = act(say("run.save-note"), async () => {
    await it.put({ admin_comment: note.value.trim() }, say("run.note-saved"), before ? { admin_comment: before } : null);
  }, { trouble: it.trouble });
  return el("div", { class: "gap-s" }, field(say("run.note"), note, say("run.note-hint")), el("div", { class: "row gap-xs" }, save));
}

function numbersOf(it) {
  const parts = [one(it, { name: "concurrency", label: say("run.concurrency"), value: it.user.concurrency, least: 0, button: say("run.set") }), one(it, { name: "worker_invited", label: say("run.invited"), value: it.user.worker_invited, least: 0, button: say("run.set") })];
  if (it.context.isAdministrator) parts.unshift(giving(it));
  return el("div", { class: "gap-s numbers" }, it.user.id === 0 ? parts.slice(-2, -1) : parts);
}

function one(it, { name, label, value, least, button }) {
  const input = el("input", { class: "in", type: "number", min: least, max: 2 ** 31 - 1, step: "1", value });
  const set = act(button, async () => {
    await it.put({ [name]: input.valueAsNumber }, say("run.is-set", { what: label, value: input.valueAsNumber }), { [name]: value });
  }, { trouble: it.trouble });
  return el("div", { class: "one" }, field(label, input), set);
}

function giving(it) {
  const input = el("input", { class: "in", type: "number", step: "1", value: "100" });
  const give = act(say("run.give"), async () => {
    const amount = input.valueAsNumber;
    const told = say(amount < 0 ? "run.taken" : "run.given", { amount: number(Math.abs(amount)), name: it.user.username });
    await it.put({ kudos: amount }, told, { kudos: -amount });
  }, { trouble: it.trouble });
  return el("div", { class: "one" }, field(say("run.give-kudos"), input, say("run.give-hint")), give);
}

// What is done to an account as a whole.
function graveOf(it, isMine) {
  const { user } = it;
  if (user.id === 0) return el("p", { class: "small muted gap-s" }, say("run.anonymous"));
  const acts = [];
  if (user.suspicious) acts.push(act(say("run.forget-suspicion"), () => it.put({ reset_suspicion: true }, say("run.suspicion-forgotten")), { trouble: it.trouble }));
  if (user.deleted) acts.push(act(say("run.undelete"), () => it.put({ undelete: true }, say("run.undeleted", { name: user.username })), { trouble: it.trouble }));
  if (!isMine) acts.push(el("button", { type: "button", class: "b s", onclick: () => replaceKey(it) }, say("run.replace-key")));
  if (!user.deleted && !user.moderator && user.id > 1) acts.push(act(say("run.delete-user"), () => remove(it), { kind: "b s danger", trouble: it.trouble }));
  return el("div", { class: "row gap" }, acts);
}

async function remove(it) {
  await call("DELETE", it.path, { query: { reason: it.why() } });
  await it.show();
  it.changed();
  toast(say("run.user-deleted", { name: it.user.username }), () => tried(it, () => it.put({ undelete: true }, say("run.undone"))));
}

function replaceKey(it) {
  ask({
    title: say("run.replace-title", { name: it.user.username }),
    text: say("run.replace-text"),
    label: say("run.replace"),
    work: async (reason) => {
      const { api_key: key } = await call("POST", `${it.path}/key`, { query: { reason } });
      it.trouble.replaceChildren(el("div", { class: "note ok key" }, el("h3", {}, say("run.new-key", { name: it.user.username })), el("code", {}, key), el("p", {}, say("run.new-key-once"))));
      announce(say("run.new-key", { name: it.user.username }));
    },
  });
}
