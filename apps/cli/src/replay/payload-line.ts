/** One payload as a line of NDJSON, made from a file that is replayed. */
export interface PayloadLine {
  /** JSON without a line break at its end. */
  readonly bytes: Uint8Array;
  /** Payloads of one user keep their order; undefined where the line names none. */
  readonly userId: string | undefined;
  readonly samples: number;
  /** Line (CSV, NDJSON) or record (Apple) of the file, 1-based, at which the payload begins. */
  readonly position: number;
}

/** A sample as `POST /v1/ingest/health` takes it. A field that cannot be read is sent as it came and refused there. */
export interface ReplaySample {
  readonly id: string;
  readonly type: string;
  readonly value: number | string | undefined;
  readonly unit: string | undefined;
  readonly startDate: string | undefined;
  readonly endDate: string | undefined;
  readonly sourceBundle?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly createdAt?: string;
  readonly timezone?: string;
  readonly timezoneOffset?: number;
}

/** A file being read: payloads in file order, the same ones at every reading with the same options. */
export interface ReplaySource {
  readonly kind: ReplayKind;
  /** Batches of payloads, in file order. */
  payloads(): AsyncIterable<readonly PayloadLine[]>;
  /** What was read and left out on purpose, with how often; complete when `payloads` has ended. */
  readonly skipped: ReadonlyMap<string, number>;
  /** What is wrong with the file as a whole, for example that it is cut off. */
  readonly problems: readonly string[];
}

export type ReplayKind = "fitbit-csv" | "apple-health" | "ndjson" | "csv";

const SAMPLES_PER_PAYLOAD = 500;

/** Builds payload lines of one user each from samples that come in file order. */
export class PayloadBuilder {
  readonly #lines: PayloadLine[] = [];
  #userId = "";
  #deviceId = "";
  #position = 0;
  #samples: ReplaySample[] = [];

  add(userId: string, deviceId: string, sample: ReplaySample, position: number): void {
    if (userId !== this.#userId || deviceId !== this.#deviceId || this.#samples.length >= SAMPLES_PER_PAYLOAD) {
      this.#close();
    }
    if (this.#samples.length === 0) {
      this.#userId = userId;
      this.#deviceId = deviceId;
      this.#position = position;
    }
    this.#samples.push(sample);
  }

  /** The payloads that are complete so far. */
  take(): readonly PayloadLine[] {
    return this.#lines.splice(0);
  }

  /** All that is left. */
  finish(): readonly PayloadLine[] {
    this.#close();
    return this.take();
  }

  #close(): void {
    if (this.#samples.length === 0) return;
    const payload = { deviceId: this.#deviceId, userId: this.#userId, samples: this.#samples };
    this.#lines.push({
      bytes: Buffer.from(JSON.stringify(payload), "utf8"),
      userId: this.#userId,
      samples: this.#samples.length,
      position: this.#position,
    });
    this.#samples = [];
  }
}
