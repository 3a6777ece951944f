import { StreamError } from "./stream-error.ts";

/** A key as NATS key-value buckets take it, or `invalid`. */
export function checkedKey(key: string): string {
  if (!/^[-/=\w]+(\.[-/=\w]+)*$/.test(key))
    throw new StreamError("invalid", `not a key for a bucket: "${key}"`, { key });
  return key;
}
