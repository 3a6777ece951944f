import { startOfMember } from "./json-slice.ts";
import { checkArray } from "./json-syntax.ts";

/**
 * The value of a payload's JSON text, but that its records are left out: the member that holds them is an array of as
 * many empty places. That the whole text is JSON is sure, and that no record nests deeper than SYNTAX_DEPTH_MAX.
 * Undefined where that is not sure, or there is no such array: then only `JSON.parse` of all of it can tell.
 *
 * @param bytes valid UTF-8
 */
export function payloadOutline(bytes: Buffer, member: string): Readonly<Record<string, unknown>> | undefined {
  let outline: Record<string, unknown>;
  try {
    const start = startOfMember(bytes, member);
    const records = start === undefined ? undefined : checkArray(bytes, start);
    if (start === undefined || records === undefined) return undefined;
    const [before, after] = [bytes.toString("utf8", 0, start), bytes.toString("utf8", records.end)];
    // Stands for the records. A text so long cannot be behind them: another one is of a later member of the same name.
    const placeholder = " ".repeat(after.length + 1);
    outline = JSON.parse(`${before}"${placeholder}"${after}`) as Record<string, unknown>;
    if (outline[member] !== placeholder) return undefined;
    outline[member] = new Array<undefined>(records.items);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return outline;
}
