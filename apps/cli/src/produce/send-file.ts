import type { Message, Producer } from "kafkajs";

import type { Progress } from "../progress.ts";
import type { InputFile } from "../replay/input-file.ts";
import type { PayloadLine, ReplaySource } from "../replay/payload-line.ts";
import type { EncodePayload } from "./payload-encoding.ts";

/** Bytes of one send: far below what brokers take in a request, and enough that few are needed. */
const SEND_BYTES_TARGET = 512 * 1024;

export interface SentFile {
  readonly file: string;
  readonly messages: number;
  readonly samples: number;
  /** Payloads that did not fit the encoding and went as the JSON that they are. */
  readonly asJson: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

export interface SendTarget {
  readonly producer: Producer;
  readonly topic: string;
  readonly encode: EncodePayload;
  /** Key of payloads that name no user; null: they go anywhere. */
  readonly keyOfNobody: string | null;
  readonly signal: AbortSignal;
}

/** Sends every payload of a file as one message with its user as the key, in file order, each acknowledged by all. */
export async function sendFile(
  file: InputFile,
  source: ReplaySource,
  target: SendTarget,
  progress: Progress,
): Promise<SentFile> {
  const { producer, topic, encode, keyOfNobody, signal } = target;
  const sent = { messages: 0, samples: 0, asJson: 0 };
  let waiting: Message[] = [];
  let bytes = 0;
  const flush = async () => {
    if (waiting.length > 0) await producer.send({ topic, acks: -1, messages: waiting });
    waiting = [];
    bytes = 0;
    progress.update(file.bytesRead(), `${sent.samples.toLocaleString("en-US")} samples`);
  };
  const add = async (line: PayloadLine) => {
    const encoded = encode(line.bytes);
    if (encoded === undefined) sent.asJson++;
    const value = encoded ?? Buffer.from(line.bytes);
    waiting.push({ key: line.userId ?? keyOfNobody, value });
    sent.messages++;
    sent.samples += line.samples;
    bytes += value.length;
    if (bytes >= SEND_BYTES_TARGET) await flush();
  };
  for await (const lines of source.payloads()) {
    for (const line of lines) await add(line);
    if (signal.aborted) break;
  }
  await flush();
  const problems = signal.aborted ? [...source.problems, "stopped before its end"] : source.problems;
  return { file: file.path, ...sent, skipped: Object.fromEntries(source.skipped), problems };
}
