// Reads one request a line ({method, path, body}) and answers each with one line: null, or what Discord would refuse.
import { createInterface } from "node:readline";
import * as schemas from "discord-api-spec/zod";
import * as z from "zod/mini";

const id = "\\d+";
const token = "[^/]+";
const message = [schemas.IncomingWebhookRequestPartialSchema, schemas.IncomingWebhookUpdateRequestPartialSchema];
const routes = [
  ["POST", `/channels/${id}/messages`, schemas.MessageCreateRequestSchema],
  ["PATCH", `/channels/${id}/messages/${id}`, schemas.MessageEditRequestPartialSchema],
  ["POST", `/webhooks/${id}/${token}`, z.union(message)],
  ["PATCH", `/webhooks/${id}/${token}/messages/(@original|${id})`, schemas.IncomingWebhookUpdateRequestPartialSchema],
  ["POST", "/users/@me/channels", schemas.CreatePrivateChannelRequestSchema],
  ["PUT", `/applications/${id}/commands`, z.array(schemas.ApplicationCommandUpdateRequestSchema)],
  ["POST", `/interactions/${id}/${token}/callback`, z.union([
    schemas.ApplicationCommandAutocompleteCallbackRequestSchema,
    schemas.CreateMessageInteractionCallbackRequestSchema,
    schemas.ModalInteractionCallbackRequestSchema,
    schemas.PongInteractionCallbackRequestSchema,
    schemas.UpdateMessageInteractionCallbackRequestSchema,
  ])],
].map(([method, path, schema]) => [method, new RegExp(`^${path}$`), schema]);

// Limits that Discord documents and its schema does not carry:
// https://discord.com/developers/docs/resources/message#embed-object-embed-limits
const CONTENT = 2000;
const EMBEDS = 6000;

function textOf(embed) {
  const fields = (embed.fields ?? []).flatMap((field) => [field.name, field.value]);
  return [embed.title, embed.description, embed.footer?.text, embed.author?.name, ...fields].filter(Boolean).join("");
}

function beyondTheSchema(body) {
  const shown = body.data ?? body;
  if ((shown.content ?? "").length > CONTENT) return `content is longer than ${CONTENT}`;
  if ((shown.embeds ?? []).map(textOf).join("").length > EMBEDS) return `embeds are longer than ${EMBEDS} together`;
  return null;
}

function problem({ method, path, body }) {
  const route = routes.find(([verb, pattern]) => verb === method && pattern.test(path));
  if (!route) return "no schema is known for this request: add it to tests/payloads/check.mjs";
  const result = z.safeParse(route[2], body);
  return result.success ? beyondTheSchema(body) : z.prettifyError(result.error);
}

// discord.py writes some ids as numbers, which Discord takes and its schema does not name. So is the id of a new
// file its number in the upload: https://docs.discord.com/developers/reference#uploading-files
const asText = (value) => (Number.isInteger(value) && value > 2 ** 40 ? String(value) : value);
const ofFile = (file) => (Number.isInteger(file.id) ? { ...file, id: String(file.id) } : file);
const withTextIds = (key, value) => (key === "attachments" && Array.isArray(value) ? value.map(ofFile) : asText(value));

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(problem(JSON.parse(line, withTextIds)))}\n`);
}
