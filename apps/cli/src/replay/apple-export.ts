import { StringDecoder } from "node:string_decoder";

import { SaxesParser } from "saxes";

import type { AppleRecord } from "./apple-record.ts";

/** What a reading of an export found beside the records; complete at its end. */
export interface AppleFindings {
  /** Elements left out, by what they are, with how often. */
  readonly skipped: Map<string, number>;
  readonly problems: string[];
}

const ROOT = "HealthData";
const NOT_DATA = new Set(["ExportDate", "Me"]);
const PROBLEMS_MAX = 20;

/**
 * The records of an `export.xml`, in file order, in memory for one chunk of the file. Records inside `<Correlation>`
 * also stand at top level and are left out here. A file that is not well-formed (cut off; some versions of iOS write a
 * broken DTD) is read as far as it goes, and said to be so.
 */
export async function* readAppleRecords(
  chunks: AsyncIterable<Buffer>,
  findings: AppleFindings,
): AsyncGenerator<readonly AppleRecord[]> {
  const reader = new RecordReader(findings);
  const decoder = new StringDecoder("utf8");
  try {
    for await (const chunk of chunks) yield reader.write(decoder.write(chunk));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "Z_BUF_ERROR") throw error;
    findings.problems.push("the gzip file is cut off");
  }
  yield reader.close();
}

interface OpenRecord {
  readonly attributes: Readonly<Record<string, string>>;
  readonly metadata: Record<string, string>;
}

class RecordReader {
  readonly #parser = new SaxesParser();
  readonly #findings: AppleFindings;
  readonly #path: string[] = [];
  #records: AppleRecord[] = [];
  #open: OpenRecord | undefined;
  #inCorrelation = false;

  constructor(findings: AppleFindings) {
    this.#findings = findings;
    this.#parser.on("opentag", (tag) => this.#opened(tag.name, tag.attributes));
    this.#parser.on("closetag", (tag) => this.#closed(tag.name));
    this.#parser.on("error", (error) => {
      if (findings.problems.length < PROBLEMS_MAX) findings.problems.push(`not well-formed XML: ${error.message}`);
    });
  }

  write(text: string): readonly AppleRecord[] {
    this.#parser.write(text);
    return this.#take();
  }

  close(): readonly AppleRecord[] {
    this.#parser.close();
    return this.#take();
  }

  #take(): readonly AppleRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  #opened(name: string, attributes: Record<string, string>): void {
    const depth = this.#path.push(name) - 1;
    if (name === "Record" && this.#inCorrelation) this.#skip("Record inside Correlation (stands at top level too)");
    else if (name === "Record" && depth === 1) this.#open = { attributes, metadata: {} };
    else if (name === "Correlation") this.#inCorrelation = true;
    else if (name === "MetadataEntry" && this.#open && this.#path.at(-2) === "Record") {
      const { key, value } = attributes;
      if (key !== undefined && value !== undefined) this.#open.metadata[key] = value;
    } else if (depth === 1 && this.#path[0] === ROOT && !NOT_DATA.has(name)) this.#skip(name);
  }

  #closed(name: string): void {
    this.#path.pop();
    if (name === "Correlation") this.#inCorrelation = false;
    if (name !== "Record" || this.#open === undefined || this.#inCorrelation) return;
    this.#records.push(this.#open);
    this.#open = undefined;
  }

  #skip(what: string): void {
    const { skipped } = this.#findings;
    skipped.set(what, (skipped.get(what) ?? 0) + 1);
  }
}
