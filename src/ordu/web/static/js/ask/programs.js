// A request as a program: what asks for the same picture from a shell, Python or JavaScript.
// The key is not in it: it is read from the variable ORDU_API_KEY.

const NOT_SAID = ["r2", "dry_run", "source_image", "source_mask"];
export const FILES = { picture: "source.webp", mask: "mask.webp" };
const FIELDS = { picture: "source_image", mask: "source_mask" };

/** The programs by name, for a body and the pictures it starts from; `url` is the horde's. */
export function programs(body, source, url) {
  const said = Object.fromEntries(Object.entries(body).filter(([name, value]) => !NOT_SAID.includes(name) && value !== null));
  const files = Object.keys(FILES).filter((name) => source?.[name]).map((name) => [FIELDS[name], FILES[name]]);
  return { curl: curl({ ...said, r2: true }, files, url), Python: python(said, files, url), JavaScript: javascript(said, files, url) };
}

// A field a line: short enough to read, and whole.
function json(fields, more = []) {
  const lines = Object.entries(fields).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`);
  return `{\n  ${[...lines, ...more].join(",\n  ")}\n}`;
}

function curl(said, files, url) {
  const id = "tee /dev/stderr | grep -o '[0-9a-f-]\\{36\\}'";
  const data = files.length ? `-d @- << END | ${id}\n${withFiles(said, files)}\nEND\n)` : `-d '${json(said).replaceAll("'", "'\\''")}' \\\n  | ${id})`;
  return `id=$(curl -sS ${url}/api/v2/generate/async \\
  -H "apikey: $ORDU_API_KEY" -H "Content-Type: application/json" \\
  ${data}
curl -sSN ${url}/api/v2/generate/status/$id/events`;
}

// Here the shell puts the files in, and would read \, $ and ` of the rest as its own.
function withFiles(said, files) {
  const open = json(said).slice(0, -2).replace(/[\\$`]/g, "\\$&");
  return [open, ...files.map(([name, file]) => `  "${name}": "$(base64 < ${file} | tr -d '\\n')"`)].join(",\n") + "\n}";
}

function python({ prompt, params = {}, ...rest }, files, url) {
  const values = { ...rest, ...params, ...Object.fromEntries(files) };
  const lines = Object.entries(values).map(([name, value]) => `        ${name}=${literal(value)},\n`);
  return `import os
from ordu.client import Horde

with Horde("${url}", os.environ["ORDU_API_KEY"]) as horde:
    pictures = horde.generate(
        ${literal(prompt)},
${lines.join("")}    )
    for picture in pictures:
        picture.save(".")`;
}

// JSON as Python writes it; texts are alike in both.
function literal(value) {
  if (value === null) return "None";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([name, each]) => `${literal(name)}: ${literal(each)}`).join(", ")}}`;
  if (typeof value === "boolean") return value ? "True" : "False";
  return JSON.stringify(value);
}

function javascript(said, files, url) {
  const read = files.map(([name, file]) => `request.${name} = readFileSync("${file}").toString("base64");\n`).join("");
  return `import { readFileSync, writeFileSync } from "node:fs";

const request = ${json(said)};
${read}const headers = { apikey: process.env.ORDU_API_KEY, "Content-Type": "application/json" };

async function call(path, options) {
  const answer = await fetch("${url}/api/v2/generate" + path, options);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.message);
  return told;
}

const { id } = await call("/async", { method: "POST", headers, body: JSON.stringify(request) });
while (!(await call("/check/" + id, { headers: { Prefer: "wait=30" } })).done) {
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
for (const { img, seed } of (await call("/status/" + id)).generations) {
  writeFileSync(seed + ".webp", Buffer.from(img, "base64"));
}`;
}
