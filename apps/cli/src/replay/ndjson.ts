import { isBlank } from "@firn/core";

import type { PayloadLine, ReplaySource } from "./payload-line.ts";

/** What ingest takes at most in one request (4 MiB unpacked); a longer line cannot be sent. */
const LINE_BYTES_MAX = 4 * 1024 * 1024;

const LINES_PER_STEP = 500;
const NEWLINE = 0x0a;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Payloads that lie one a line in a file. Their bytes go out as they are, broken ones too: ingest judges them. */
export function ndjsonSource(chunks: () => AsyncIterable<Buffer>, recordsMember: string): ReplaySource {
  const problems: string[] = [];
  return {
    kind: "ndjson",
    skipped: new Map(),
    problems,
    payloads: () => readPayloads(chunks(), recordsMember, problems),
  };
}

async function* readPayloads(
  chunks: AsyncIterable<Buffer>,
  recordsMember: string,
  problems: string[],
): AsyncGenerator<readonly PayloadLine[]> {
  let lines: PayloadLine[] = [];
  let position = 0;
  for await (const bytes of splitLines(chunks)) {
    position += 1;
    if (bytes === undefined) {
      problems.push(`line ${position}: longer than ${LINE_BYTES_MAX} bytes, not sent`);
    } else if (!bytes.every(isBlank)) {
      lines.push({ bytes, position, ...describe(bytes, recordsMember) });
    }
    if (lines.length >= LINES_PER_STEP) {
      yield lines;
      lines = [];
    }
  }
  yield lines;
}

/** Lines without their end; undefined for one that is longer than can be sent (its bytes are let go). */
async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  let first = true;
  const close = () => {
    const line = length > LINE_BYTES_MAX ? undefined : Buffer.concat(parts);
    parts = [];
    length = 0;
    const bom = first && line?.subarray(0, BOM.length).equals(BOM) === true;
    first = false;
    return bom ? line?.subarray(BOM.length) : line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      length += at - from;
      if (length <= LINE_BYTES_MAX) parts.push(chunk.subarray(from, at));
      from = at + 1;
      yield close();
    }
    length += chunk.length - from;
    if (length <= LINE_BYTES_MAX) parts.push(chunk.subarray(from));
    else parts = [];
  }
  if (length > 0) yield close();
}

/** User and number of records, only to keep a user's order and to fill requests evenly. */
function describe(
  bytes: Buffer,
  recordsMember: string,
): { readonly userId: string | undefined; readonly samples: number } {
  try {
    const payload = JSON.parse(bytes.toString("utf8")) as Readonly<Record<string, unknown>> | null;
    const { userId, [recordsMember]: records } = payload ?? {};
    return {
      userId: typeof userId === "string" ? userId : undefined,
      samples: Array.isArray(records) ? records.length : 0,
    };
  } catch {
    return { userId: undefined, samples: 0 };
  }
}
