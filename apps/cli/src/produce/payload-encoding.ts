import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";

import { CommandError, EXIT } from "../exit-code.ts";

const optional = (type: unknown) => ({ type: ["null", type], default: null });
const text = optional("string");

/** A payload of health with the JSON's field names; times are strings as they are there. */
export const HEALTH_PAYLOAD_AVRO = {
  type: "record",
  name: "HealthPayload",
  namespace: "firn.health",
  fields: [
    { name: "deviceId", type: "string" },
    { name: "userId", type: "string" },
    ...["timestamp", "appVersion"].map((name) => ({ name, ...text })),
    { name: "deleted", ...optional({ type: "array", items: "string" }) },
    {
      name: "samples",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "HealthSample",
          fields: [
            ...["id", "type"].map((name) => ({ name, type: "string" })),
            { name: "value", type: "double" },
            ...["unit", "startDate", "endDate"].map((name) => ({ name, type: "string" })),
            ...["sourceBundle", "createdAt", "timezone"].map((name) => ({ name, ...text })),
            { name: "metadata", ...optional({ type: "map", values: "string" }) },
            { name: "isSynced", ...optional("boolean") },
            { name: "timezoneOffset", ...optional("int") },
          ],
        },
      },
    },
  ],
} as const;

/** Turns a payload's JSON into a message's value, or undefined where it does not fit the encoding. */
export type EncodePayload = (json: Uint8Array) => Buffer | undefined;

/** Registers the schema as the topic's. @throws CommandError when the registry does not take it */
export async function avroEncoding(registryUrl: string, topic: string, auth: RegistryAuth): Promise<EncodePayload> {
  const type = avsc.Type.forSchema(HEALTH_PAYLOAD_AVRO as unknown as avsc.Schema, { wrapUnions: false });
  const header = Buffer.alloc(5);
  header.writeUInt32BE(await register(registryUrl, topic, auth), 1);
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

async function register(host: string, topic: string, { username, password }: RegistryAuth): Promise<number> {
  const auth = username === undefined ? {} : { auth: { username, password: password ?? "" } };
  const registry = new SchemaRegistry({ host, ...auth });
  const schema = JSON.stringify(HEALTH_PAYLOAD_AVRO);
  try {
    const { id } = await registry.register({ type: SchemaType.AVRO, schema }, { subject: `${topic}-value` });
    return id;
  } catch (cause) {
    const message = `the schema registry at ${host} did not take the schema: ${(cause as Error).message}`;
    throw new CommandError(EXIT.broken, message, { cause });
  }
}
