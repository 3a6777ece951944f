import { readAppleRecords, type AppleFindings } from "./apple-export.ts";
import { appleSample, measuredBy } from "./apple-record.ts";
import { Occurrences } from "./occurrences.ts";
import { PayloadBuilder, type PayloadLine, type ReplaySource } from "./payload-line.ts";
import { SourcePreference } from "./source-preference.ts";

export interface AppleOptions {
  /** An export names no person. */
  readonly user: string;
  readonly device?: string;
  /** Zone of records that name none by HKTimeZone; else the offset that Apple wrote is taken. */
  readonly timezone?: string;
  /** Names of sources, best first; without it every record is sent, overlapping ones too. */
  readonly preferSources?: readonly string[];
  /** Recordings that lie beside the file, to be reported as skipped. */
  readonly electrocardiograms?: number;
}

const APPLE_DEVICE = "apple-health-export";
const NO_NUMBER = "category without a number: ";
const LESS_PREFERRED = "less preferred source";

/** The records of an Apple Health `export.xml` as samples; `chunks` is the unpacked file. */
export function appleSource(chunks: () => AsyncIterable<Buffer>, options: AppleOptions): ReplaySource {
  const findings: AppleFindings = { skipped: new Map(), problems: [] };
  if (options.electrocardiograms) findings.skipped.set("electrocardiogram", options.electrocardiograms);
  return { kind: "apple-health", ...findings, payloads: () => readPayloads(chunks, options, findings) };
}

async function* readPayloads(
  chunks: () => AsyncIterable<Buffer>,
  options: AppleOptions,
  findings: AppleFindings,
): AsyncGenerator<readonly PayloadLine[]> {
  const preference = await observeSources(chunks, options.preferSources ?? []);
  const builder = new PayloadBuilder();
  const occurrences = new Occurrences();
  let position = 0;
  for await (const records of readAppleRecords(chunks(), findings)) {
    for (const record of records) {
      position += 1;
      const measured = measuredBy(record);
      if (measured === undefined) {
        count(findings.skipped, `${NO_NUMBER}${record.attributes["type"] ?? ""}`);
        continue;
      }
      // Counted before anything is left out: an id must not hang on the options.
      const sample = appleSample(record, measured, occurrences, options.timezone);
      if (preference?.keeps(record) === false) count(findings.skipped, LESS_PREFERRED);
      else builder.add(options.user, options.device ?? APPLE_DEVICE, sample, position);
    }
    yield builder.take();
  }
  yield builder.finish();
}

/** Reads the file once to see when the preferred sources measured; nothing to do without preferences. */
async function observeSources(
  chunks: () => AsyncIterable<Buffer>,
  sources: readonly string[],
): Promise<SourcePreference | undefined> {
  if (sources.length === 0) return undefined;
  const preference = new SourcePreference(sources);
  for await (const records of readAppleRecords(chunks(), { skipped: new Map(), problems: [] })) {
    for (const record of records) preference.observe(record);
  }
  return preference;
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
