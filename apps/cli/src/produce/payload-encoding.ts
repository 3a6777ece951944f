import type { Dataset } from "@firn/core";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";

import { CommandError, EXIT } from "../exit-code.ts";

/** Turns a payload's JSON into a message's value, or undefined where it does not fit the encoding. */
export type EncodePayload = (json: Uint8Array) => Buffer | undefined;

/**
 * Registers the schema of a dataset's payloads as the topic's.
 * @throws CommandError when the dataset has none, or the registry does not take it
 */
export async function avroEncoding(
  { name, payload: { avro } }: Dataset,
  registryUrl: string,
  topic: string,
  auth: RegistryAuth,
): Promise<EncodePayload> {
  if (avro === undefined) throw new CommandError(EXIT.usage, `payloads of ${name} have no Avro schema: send JSON`);
  const type = avsc.Type.forSchema(avro as unknown as avsc.Schema, { wrapUnions: false });
  const header = Buffer.alloc(5);
  header.writeUInt32BE(await register(JSON.stringify(avro), registryUrl, topic, auth), 1);
  return (json) => {
    try {
      const payload = JSON.parse(Buffer.from(json).toString("utf8")) as Record<string, unknown>;
      return Buffer.concat([header, type.toBuffer(type.clone(payload, { skipMissingFields: true }))]);
    } catch {
      return undefined;
    }
  };
}

export interface RegistryAuth {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

async function register(schema: string, host: string, topic: string, login: RegistryAuth): Promise<number> {
  const { username, password } = login;
  const auth = username === undefined ? {} : { auth: { username, password: password ?? "" } };
  const registry = new SchemaRegistry({ host, ...auth });
  try {
    const { id } = await registry.register({ type: SchemaType.AVRO, schema }, { subject: `${topic}-value` });
    return id;
  } catch (cause) {
    const message = `the schema registry at ${host} did not take the schema: ${(cause as Error).message}`;
    throw new CommandError(EXIT.broken, message, { cause });
  }
}
