/**
 * Something stored or sent by a newer release of Firn than the one that reads it (docs/formats.md lists the shapes and
 * their versions). It is neither guessed at nor passed over: whoever meets it stands still until a release runs that
 * knows it.
 */
export class NewerFormat extends Error {
  override readonly name = "NewerFormat";
  /** What to do about it, for whoever operates the lake. */
  readonly fix: string;

  constructor(shape: string, found: number, known: number) {
    super(`${shape} of version ${found}: this release reads versions up to ${known}`);
    this.fix = "run the newer Firn that wrote it, or one later still: upgrade this service";
  }
}

/** @throws NewerFormat for a version beyond the one that this release knows; anything else is left to the reader */
export function refuseNewer(shape: string, found: unknown, known: number): void {
  if (typeof found === "number" && Number.isInteger(found) && found > known) throw new NewerFormat(shape, found, known);
}

const VERSION_FIRST = /^\{"v":(\d{1,9})[,}]/;

/** The version that a JSON message begins with; undefined where it is no such message. */
export function versionOfJson(bytes: Uint8Array): number | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 24)).toString("latin1");
  const digits = VERSION_FIRST.exec(start)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
