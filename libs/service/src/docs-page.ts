import type { OpenApiDocument } from "./openapi.ts";

type Json = Readonly<Record<string, unknown>>;

/** A page about an OpenAPI document: no script, nothing loaded from anywhere. */
export function docsPage(document: OpenApiDocument): string {
  const { title, version, description } = document.info;
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Json).map(([method, operation]) => renderOperation(method, path, operation as Json)),
  );
  const schemas = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) => `<section id="schema-${escape(name)}"><h3>${escape(name)}</h3>${code(schema)}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escape(title)} <small>${escape(version)}</small></h1>
<p>${escape(description ?? "")}</p><p>The same for programs: <a href="docs-json">docs-json</a> (OpenAPI 3.1).</p>
${operations.join("\n")}
<h2>Schemas</h2>
${schemas.join("\n")}
</main></body></html>
`;
}

function renderOperation(method: string, path: string, operation: Json): string {
  const parameters = (operation["parameters"] ?? []) as readonly Json[];
  const responses = Object.entries((operation["responses"] ?? {}) as Record<string, Json>);
  const body = operation["requestBody"] as Json | undefined;
  return [
    `<section><h2><code class="${escape(method)}">${escape(method.toUpperCase())}</code> <code>${escape(path)}</code></h2>`,
    `<p><strong>${escape(text(operation["summary"]))}</strong></p><p>${escape(text(operation["description"]))}</p>`,
    parameters.length > 0 ? table(["Parameter", "In", "Type", ""], parameters.map(renderParameter)) : "",
    body ? `<h3>Body</h3>${renderContent(body)}` : "",
    table(["Status", "Meaning", "Body"], responses.map(renderResponse)),
    "</section>",
  ].join("\n");
}

function renderParameter(parameter: Json): string[] {
  const required = parameter["required"] === true ? "required. " : "";
  return [
    `<code>${escape(text(parameter["name"]))}</code>`,
    escape(text(parameter["in"])),
    schemaText(parameter["schema"]),
    escape(`${required}${text(parameter["description"])}`),
  ];
}

function renderResponse([status, response]: [string, Json]): string[] {
  return [`<code>${escape(status)}</code>`, escape(text(response["description"])), renderContent(response)];
}

function renderContent(holder: Json): string {
  return Object.entries((holder["content"] ?? {}) as Record<string, Json>)
    .map(([mediaType, media]) => `<p><code>${escape(mediaType)}</code> ${schemaText(media["schema"])}</p>`)
    .join("");
}

/** A named schema as a link, a small one in a line, a large one to unfold. */
function schemaText(schema: unknown): string {
  const reference = (schema as { $ref?: string } | undefined)?.$ref?.split("/").at(-1);
  if (reference) return `<a href="#schema-${escape(reference)}">${escape(reference)}</a>`;
  const line = JSON.stringify(schema ?? {});
  if (line.length <= 60) return `<code>${escape(line)}</code>`;
  return `<details><summary>schema</summary>${code(schema)}</details>`;
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  return `<table>${line(head, "th")}${rows.map((row) => line(row, "td")).join("")}</table>`;
}

function code(value: unknown): string {
  return `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function escape(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
section { border-top: 1px solid #8884; padding-top: .5rem; margin-top: 1.5rem; }
h2 { font-size: 1.2rem; } h3 { font-size: 1rem; } small { opacity: .6; font-weight: normal; }
code, pre { font: .9rem ui-monospace, monospace; } pre { overflow-x: auto; padding: .5rem; background: #8881; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .25rem .5rem; border-bottom: 1px solid #8883; }
.get { color: #2a7; } .post { color: #27c; }
td p { margin: 0; }
`;
