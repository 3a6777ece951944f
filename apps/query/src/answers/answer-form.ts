import type { QuestionAnswer } from "../questions/question-service.ts";
import { arrowStream } from "./arrow.ts";
import { csvText } from "./csv.ts";
import { jsonRows } from "./json-values.ts";
import type { MediaType } from "./media-type.ts";

export interface FormedAnswer {
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** The JSON body, the same over HTTP and NATS. */
export function jsonBody({ table, document, meta, page, stats }: QuestionAnswer): string {
  const rest = JSON.stringify({ meta, page, stats });
  const data = document === undefined ? jsonRows(table) : JSON.stringify(document.value());
  return `{"data":${data},${rest.slice(1)}`;
}

/**
 * The answer in the form that was asked for. CSV and Arrow have no place for what stands beside the rows: it goes into
 * the headers `firn-cursor` (absent on the last page) and `firn-meta`, and with Arrow into the schema as well.
 */
export function formAnswer(answer: QuestionAnswer, type: MediaType): FormedAnswer {
  if (type === "application/json")
    return { contentType: "application/json; charset=utf-8", headers: {}, body: jsonBody(answer) };
  const beside = JSON.stringify({ meta: answer.meta, page: answer.page, stats: answer.stats });
  const { cursor } = answer.page;
  const headers = { "firn-meta": asciiJson(beside), ...(cursor === null ? {} : { "firn-cursor": cursor }) };
  if (type === "text/csv") {
    return { contentType: "text/csv; charset=utf-8; header=present", headers, body: csvText(answer.table) };
  }
  const metadata = { "firn.meta": beside, ...(cursor === null ? {} : { "firn.cursor": cursor }) };
  return { contentType: type, headers, body: Buffer.from(arrowStream(answer.table, metadata)) };
}

/** JSON text without a character that a header may not have. */
function asciiJson(json: string): string {
  return json.replaceAll(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
