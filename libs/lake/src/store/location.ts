import { LakeError } from "../lake-error.ts";

const PLAIN_FILE = /^file:\/\/\/(?!\/)/;
const URI = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s;
/** Hadoop's names for the same thing. */
const SCHEME_ALIASES: Readonly<Record<string, string>> = { s3a: "s3", s3n: "s3" };

/**
 * The one spelling of a location. `file:/x`, `file:///x`, `file://localhost/x` and `/x` become `file:///x`; `s3a://b/k`
 * and `s3n://b/k` become `s3://b/k`. Repeated slashes of files are one. Nothing is percent-decoded: engines write
 * partition names percent-encoded and mean the characters on disk. A relative path, a `..` and a NUL are `invalid`.
 */
export function normaliseLocation(location: string): string {
  if (
    PLAIN_FILE.test(location) &&
    !location.includes("//", 8) &&
    !location.includes("/.") &&
    !location.includes("\0")
  ) {
    return location.length > 8 && location.endsWith("/") ? location.slice(0, -1) : location;
  }
  if (location.startsWith("/")) return fileLocation(location, location);
  const parts = URI.exec(location);
  if (parts === null) throw invalid(location, "is neither a URI nor an absolute path");
  const scheme = parts[1]!.toLowerCase();
  const rest = parts[2]!;
  if (scheme === "file") return fileLocation(location, filePath(location, rest));
  refuseClimbing(location, rest);
  return `${SCHEME_ALIASES[scheme] ?? scheme}:${rest.replace(/\/+$/, "")}`;
}

/** The absolute path of a file location. */
export function pathOfLocation(location: string): string {
  const normal = normaliseLocation(location);
  if (!normal.startsWith("file://")) throw invalid(location, "is not a file");
  return normal.slice("file://".length);
}

/** `<folder>/<name>`, with one slash between. */
export function joinLocation(folder: string, ...names: readonly string[]): string {
  return [folder.replace(/\/+$/, ""), ...names].join("/");
}

/** True when the normalised `location` is `root` or below it. */
export function isWithin(root: string, location: string): boolean {
  return location === root || location.startsWith(root.endsWith("/") ? root : `${root}/`);
}

function filePath(location: string, rest: string): string {
  if (!rest.startsWith("//")) {
    if (!rest.startsWith("/")) throw invalid(location, "is not an absolute path");
    return rest;
  }
  const pathStart = rest.indexOf("/", 2);
  const host = pathStart === -1 ? rest.slice(2) : rest.slice(2, pathStart);
  if ((host !== "" && host !== "localhost") || pathStart === -1) throw invalid(location, "names another machine");
  return rest.slice(pathStart);
}

function fileLocation(location: string, path: string): string {
  refuseClimbing(location, path);
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  return `file:///${segments.join("/")}`;
}

function refuseClimbing(location: string, path: string): void {
  if (path.includes("\0")) throw invalid(location, "holds a NUL");
  if (/(^|\/)\.\.(\/|$)/.test(path)) throw invalid(location, "climbs with ..");
}

function invalid(location: string, why: string): LakeError {
  return new LakeError("invalid", `location ${JSON.stringify(location)} ${why}`, { context: { location } });
}
