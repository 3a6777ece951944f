/**
 * Where the files of tables lie.
 *
 * - A location is a URI (`file:///abs/path`, `s3://bucket/key`). Its spellings name one object: see location.ts.
 * - A location outside the store's `root` is refused as `invalid` before anything is touched.
 * - `put`, `adopt` and `adoptAll` are durable when they resolve: a power loss keeps bytes and name. A reader sees all
 *   of an object or nothing of it.
 * - Objects never change once they have a name that others know: the callers choose unique names. `put` over an
 *   existing object replaces it atomically; with `ifAbsent` it fails as `already_exists`, and of several writers at
 *   the same time exactly one succeeds.
 * - An object whose name carries a checksum (named-checksum.ts) is read whole with those bytes, or fails as `corrupt`.
 * - A read or listing that starts after a write resolved sees it.
 * - All calls may run at the same time, and each may be asked twice: a store across a network does so after failures
 *   that may pass, with back-off. Failures are `LakeError`: `not_found` for reads of what is not there, `invalid`,
 *   `already_exists`, `unavailable`, `unauthorized`, and `corrupt` where bytes are not those that were written.
 */
export interface ObjectStore {
  /** The warehouse root, normalised, without a slash at its end. */
  readonly root: string;

  put(location: string, bytes: Uint8Array, options?: PutOptions): Promise<void>;
  get(location: string): Promise<Uint8Array>;
  /** The bytes of the range that exist: fewer than `length`, or none, beyond the object's end. */
  getRange(location: string, offset: number, length: number): Promise<Uint8Array>;
  /** undefined when there is no such object. */
  stat(location: string): Promise<ObjectStat | undefined>;
  /** All objects below the folder `prefix`, at any depth, in no order. Unfinished writes are never listed. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** Deleting what is not there is no failure. */
  delete(location: string): Promise<void>;

  /**
   * A path on this machine with the object's bytes, for readers that want a file: the file store gives the file
   * itself (a missing object then shows when it is opened), others a local copy, which stays for ten minutes at least.
   * Only for reading. Others fail as `corrupt` when the object has another size than `sizeBytes`.
   */
  localPath(location: string, sizeBytes?: number): Promise<string>;
  /** Moves a finished local file into the store. `localPath` is gone afterwards. */
  adopt(localPath: string, location: string): Promise<AdoptedObject>;
  /** The same for many files, side by side; resolves when all are durable. When it fails, some may be in the store. */
  adoptAll(moves: readonly AdoptMove[]): Promise<AdoptedObject[]>;
}

export interface PutOptions {
  readonly ifAbsent?: boolean;
}

export interface ObjectStat {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export interface ListedObject extends ObjectStat {
  readonly location: string;
}

export interface AdoptMove {
  readonly localPath: string;
  readonly location: string;
}

export interface AdoptedObject {
  readonly location: string;
  /** As the store reports it after the move. */
  readonly sizeBytes: number;
}
