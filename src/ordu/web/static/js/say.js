// Words, numbers, times: what a page says, in the language it was served in.
const page = document.documentElement;
const words = (await import(page.dataset.words)).default;
export const language = page.lang;
const plurals = new Intl.PluralRules(language);
const digits = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });

/** A message with its values, as text. Numbers are written as this language writes them. */
export function say(key, values = {}) {
  return pieces(key, values).map(String).join("");
}

/** A message with its values, some of which are elements, as a fragment to append. */
export function sayWith(key, values = {}) {
  const fragment = document.createDocumentFragment();
  fragment.append(...pieces(key, values));
  return fragment;
}

/** A number, with so many digits behind the point at most. */
export function number(value, most = 2) {
  return most === 2 ? digits.format(value) : new Intl.NumberFormat(language, { maximumFractionDigits: most }).format(value);
}

const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });

/** A number for an axis: a large one as `12K`, a small one with two figures. */
export function short(value) {
  return value >= 10_000 ? compact.format(value) : number(value, value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

/** So many seconds in the two largest units: `1 min 50 s`. */
export function duration(seconds) {
  const left = Math.max(0, Math.round(seconds));
  if (left < 60) return say("common.seconds", { count: left });
  const [large, small] = left < 3600 ? [["minutes", 60], ["seconds", 1]] : left < 86_400 ? [["hours", 3600], ["minutes", 60]] : [["days", 86_400], ["hours", 3600]];
  const first = Math.floor(left / large[1]);
  const second = Math.floor((left % large[1]) / small[1]);
  const said = say(`common.${large[0]}`, { count: first });
  return second ? `${said} ${say(`common.${small[0]}`, { count: second })}` : said;
}

const FORMS = {
  time: { hour: "2-digit", minute: "2-digit" },
  day: { day: "numeric", month: "long", year: "numeric" },
  moment: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
};

/** A moment (Date, milliseconds or ISO text) in the visitor's time: as `time`, `day` or `moment`. */
export function when(moment, as = "moment") {
  return new Intl.DateTimeFormat(language, FORMS[as]).format(new Date(moment));
}

function pieces(key, values) {
  let message = words[key];
  if (message === undefined) throw new Error(`no words for ${key}`);
  if (typeof message !== "string") message = message[plurals.select(values.count)] ?? message.other;
  return message.split(/\{([\w-]+)\}/).map((piece, index) => (index % 2 ? shown(values[piece], piece, key) : piece));
}

function shown(value, name, key) {
  if (value === undefined || value === null) throw new Error(`${key} needs {${name}}`);
  return typeof value === "number" ? digits.format(value) : value;
}
