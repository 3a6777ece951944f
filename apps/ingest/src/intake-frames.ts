import { encodeIntakeFrame, intakeSubject, type IntakePayload } from "@firn/core";
import type { AppendRecord } from "@firn/stream";

/** A frame is closed when the next payload would take it past this; one payload alone may be larger. */
const FRAME_BYTES_TARGET = 1024 * 1024;
/** What a payload adds to its frame's header, at most. */
export const FRAME_ENTRY_BYTES = 256;

/** A payload on its way into the log. */
export interface PlacedPayload {
  readonly dataset: string;
  readonly shard: number;
  readonly payload: IntakePayload;
}

interface OpenFrame {
  readonly subject: string;
  readonly payloads: IntakePayload[];
  bytes: number;
}

/** Packs payloads into frames of one dataset and shard each, in order of arrival. */
export function packFrames(placed: Iterable<PlacedPayload>): AppendRecord[] {
  const frames: OpenFrame[] = [];
  const open = new Map<string, OpenFrame>();
  for (const { dataset, shard, payload } of placed) {
    const subject = intakeSubject(dataset, shard);
    let frame = open.get(subject);
    const size = payload.bytes.length + FRAME_ENTRY_BYTES;
    if (frame === undefined || frame.bytes + size > FRAME_BYTES_TARGET) {
      frame = { subject, payloads: [], bytes: 0 };
      frames.push(frame);
      open.set(subject, frame);
    }
    frame.payloads.push(payload);
    frame.bytes += size;
  }
  return frames.map(({ subject, payloads }) => ({ subject, data: encodeIntakeFrame(payloads) }));
}
