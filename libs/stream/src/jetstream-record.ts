import type { Msg, MsgHdrs } from "@nats-io/transport-node";
import type { LogRecord } from "./log.ts";

/** A delivered message: its record, and its place in what the consumer delivered so far (1, 2, 3, …). */
export interface Delivery {
  record: LogRecord;
  deliverySequence: number;
}

/**
 * Reads stream sequence, delivery sequence and time from the reply subject of a delivered message
 * (`$JS.ACK.<stream>.<consumer>.<count>.<stream seq>.<delivery seq>.<ns>.<pending>`, and the longer form with domain
 * and account); undefined when the message is something else.
 */
export function parseDelivery(message: Msg): Delivery | undefined {
  const tokens = message.reply?.split(".") ?? [];
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || tokens.length < 9) return undefined;
  const at = tokens.length === 9 ? 4 : 6;
  const sequence = Number(tokens[at + 1]);
  const deliverySequence = Number(tokens[at + 2]);
  const timestampMs = Number(tokens[at + 3]?.slice(0, -6));
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(deliverySequence)) return undefined;
  const { subject, data } = message;
  return { record: { subject, sequence, data, headers: ownHeaders(message.headers), timestampMs }, deliverySequence };
}

/** The headers that the writer gave; the broker's own and the batch's are left out. */
export function ownHeaders(found: MsgHdrs | undefined): Record<string, string> {
  const own: Record<string, string> = {};
  for (const name of found?.keys() ?? []) {
    if (!name.startsWith("Nats-")) own[name] = found!.get(name);
  }
  return own;
}
