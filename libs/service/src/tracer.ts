/**
 * Spans of work that is not a request: what a stage does with messages, and which requests they came from.
 *
 * A trace goes on through the streams as a `traceparent` header (W3C Trace Context) on messages, and as the body of hints.
 * Work with many origins (a batch) is a child of the first of them and linked to the others. Without a collector nothing
 * is made and no message carries a header.
 */
export interface Tracer {
  /** False where no spans are made: callers need not gather origins. */
  readonly on: boolean;
  startSpan(name: string, options: SpanOptions): TraceSpan;
  /** Of a request that is being answered, by its raw message; undefined where it has no span that is sent. */
  traceparentOf(request: object): string | undefined;
}

export interface SpanOptions {
  /** `traceparent` of what led to this, oldest first. Those after `LINKS_MAX` are left out. */
  readonly origins: readonly string[];
  readonly attributes?: Attributes;
}

/** Names and counts; never a value of the data or an id of a person. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface TraceSpan {
  /** For the headers of messages; undefined where the span is not sent. */
  readonly traceparent: string | undefined;
  /** @param error absent when the work succeeded */
  end(attributes?: Attributes, error?: unknown): void;
}

const TRACEPARENT = "traceparent";
/** Origins that a span names. */
export const LINKS_MAX = 64;

const noSpan: TraceSpan = { traceparent: undefined, end: () => undefined };

/** Makes no spans. */
export const noTracer: Tracer = { on: false, startSpan: () => noSpan, traceparentOf: () => undefined };

interface Carrier {
  readonly headers?: Readonly<Record<string, string>>;
}

/** The same records with the header that hands a span on; as they are where it is not sent. */
export function handedOn<R extends Carrier>(records: readonly R[], { traceparent }: TraceSpan): R[] {
  if (traceparent === undefined) return [...records];
  return records.map((record) => ({ ...record, headers: { ...record.headers, [TRACEPARENT]: traceparent } }));
}

/** The origins of messages, each once, in their order. */
export function originsOf(records: readonly { readonly headers: Readonly<Record<string, string>> }[]): string[] {
  const origins = new Set<string>();
  for (const { headers } of records) {
    const origin = headers[TRACEPARENT];
    if (origin !== undefined && origins.size < LINKS_MAX) origins.add(origin);
  }
  return [...origins];
}
