import { AsyncLocalStorage } from "node:async_hooks";

/**
 * A request that carries an `Idempotency-Key`. It travels with the work that it starts, down to the transaction that
 * changes something: key and change are written together.
 */
export interface Attempt {
  readonly key: string;
  /** Of method, path, parameters and body: the same key on another request is refused. */
  readonly fingerprint: string;
}

/** The database has the key already: another copy of the request was first. */
export class AlreadyApplied extends Error {
  constructor() {
    super("a request with this idempotency key was applied before");
  }
}

export const currentAttempt = new AsyncLocalStorage<Attempt>();
