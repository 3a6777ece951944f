import { isWellFormedText, makeDeadLetter, type DeadLetter, type ErrorType, type PayloadInput } from "@firn/core";

import { payloadDecoder } from "./read-payload.ts";

/** A record of a payload that is refused: which one, and why. */
export interface Refusal {
  /** The payload's member that the record is in; without `index` the member itself is the record. */
  readonly member: string;
  readonly index?: number;
  readonly errorType: ErrorType;
  readonly message: string;
  readonly sampleId: string | null;
  readonly dataType: string | null;
}

/** Who sent a payload, as its dead letters say it. */
export interface Sender {
  readonly userId: string | null;
  readonly deviceId: string | null;
}

export const NO_SENDER: Sender = { userId: null, deviceId: null };

/** Makes dead letters of one dataset's run. */
export class DeadLetterOffice {
  readonly letters: DeadLetter[] = [];
  readonly #dataset: string;
  readonly #timestampUs: number;

  constructor(dataset: string, timestampUs: number) {
    this.#dataset = dataset;
    this.#timestampUs = timestampUs;
  }

  /** The payload as one refused record. */
  refusePayload(input: PayloadInput, sender: Sender, errorType: ErrorType, message: string): void {
    this.#add(input, input.bytes, { errorType, message, ...sender, sampleId: null, dataType: null });
  }

  /** Records of a payload (in the order of each member), with the exact bytes of each. */
  refuseRecords(input: PayloadInput, { userId, deviceId }: Sender, refusals: readonly Refusal[]): void {
    for (const member of new Set(refusals.map((refusal) => refusal.member))) {
      const ofMember = refusals.filter((refusal) => refusal.member === member);
      const indexes = ofMember.flatMap(({ index }) => index ?? []);
      const ranges = payloadDecoder.recordRanges(input, member, indexes);
      ofMember.forEach(({ errorType, message, sampleId, dataType }, i) => {
        const range = ranges?.[i];
        const bytes = range === undefined ? input.bytes : input.bytes.subarray(range.start, range.end);
        this.#add(input, bytes, { errorType, message, userId, deviceId, sampleId, dataType });
      });
    }
  }

  #add(input: PayloadInput, bytes: Uint8Array, letter: LetterFields): void {
    const { origin } = input;
    this.letters.push(
      makeDeadLetter({
        ...letter,
        dataset: this.#dataset,
        timestampUs: this.#timestampUs,
        bytes,
        topic: origin.topic ?? input.subject,
        partition: origin.partition ?? input.shard,
        offset: origin.offset ?? input.sequence,
      }),
    );
  }
}

type LetterFields = Pick<
  Parameters<typeof makeDeadLetter>[0],
  "errorType" | "message" | "userId" | "deviceId" | "sampleId" | "dataType"
>;

/** A text that the errors table can hold, else null. */
export function storableText(value: unknown): string | null {
  return typeof value === "string" && isWellFormedText(value) ? value : null;
}
