// A person who uses the official JavaScript package `openai`, unchanged; writes what it got as JSON.
// The package reads OPENAI_BASE_URL and OPENAI_API_KEY by itself.

import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";

import OpenAI, { APIError, toFile } from "openai";
import { VERSION } from "openai/version";

const FOLDER = process.argv[2]; // with image.png and mask.png; masked.webp is written there
// What the package has no types for is sent all the same.
const SMALL = { prompt: "dunes at sunset", size: "128x64", steps: 2, seed: 7 };

function magic(data) {
  if (data.subarray(0, 4).equals(Buffer.from("RIFF"))) return "webp";
  if (data.subarray(1, 4).equals(Buffer.from("PNG"))) return "png";
  return "unknown";
}

const kind = (text) => magic(Buffer.from(text, "base64"));
const kinds = (answer) => answer.data.map((image) => kind(image.b64_json));
const image = () => createReadStream(`${FOLDER}/image.png`);
const mask = async () => toFile(await readFile(`${FOLDER}/mask.png`), "mask.png", { type: "image/png" });

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    const { status, code, param, requestID } = error;
    return { class: error.constructor.name, status, code, param, has_id: Boolean(requestID) };
  }
  return { class: null };
}

async function generate(client) {
  const plain = await client.images.generate(SMALL);
  const several = await client.images.generate({ ...SMALL, n: 2, model: "best", output_format: "png" });
  const linked = await client.images.generate({ ...SMALL, response_format: "url", model: "fast" });
  const picture = await fetch(linked.data[0].url);
  return {
    plain: kinds(plain),
    size: plain.size,
    seed: plain.data[0].seed,
    tokens: plain.usage.total_tokens,
    several: kinds(several),
    format: several.output_format,
    linked: magic(Buffer.from(await picture.arrayBuffer())),
  };
}

async function stream(client, call) {
  const told = [];
  for await (const event of await call()) told.push([event.type, kind(event.b64_json)]);
  return told;
}

async function edit(client) {
  const images = client.images;
  const masked = await images.edit({ ...SMALL, image: image(), mask: await mask() });
  await writeFile(`${FOLDER}/masked.webp`, Buffer.from(masked.data[0].b64_json, "base64"));
  return {
    masked: kinds(masked),
    listed: kinds(await images.edit({ ...SMALL, image: [image()], input_fidelity: "high" })),
    streamed: (await stream(client, () => images.edit({ ...SMALL, image: image(), stream: true }))).map(
      ([type]) => type,
    ),
    varied: kinds(await images.createVariation({ image: image(), n: 1, size: "256x256", steps: 2 })),
  };
}

async function refusals(client) {
  const { images, models } = client;
  const stranger = client.withOptions({ apiKey: "sk-nobody-knows-this-one" });
  return {
    "bad key": await refusal(() => stranger.models.list()),
    "bad size": await refusal(() => images.generate({ prompt: "a", size: "100x100" })),
    "unknown model": await refusal(() => images.generate({ prompt: "a", model: "dall-e-3" })),
    "unknown field": await refusal(() => images.generate({ prompt: "a", colour: 1 })),
    "two pictures": await refusal(() => images.edit({ prompt: "a", image: [image(), image()] })),
    "no such model": await refusal(() => models.retrieve("nothing/like it")),
    "nobody can": await refusal(() => images.generate({ prompt: "a", size: "3072x3072" })),
  };
}

const client = new OpenAI({ timeout: 60_000 });
const models = [];
for await (const model of client.models.list()) models.push(model.id);
const wanted = { ...SMALL, stream: true, partial_images: 2, n: 2 };
console.log(
  JSON.stringify({
    version: VERSION,
    models: models.sort(),
    model: await client.models.retrieve("best"),
    generate: await generate(client),
    stream: await stream(client, () => client.images.generate(wanted)),
    edit: await edit(client),
    refusals: await refusals(client),
  }),
);
