import { createHash } from "node:crypto";

/** Names one answer to a table load: the metadata file, which never changes, and which snapshots were asked for. */
export function etagOf(metadataLocation: string, snapshots: "all" | "refs"): string {
  const hash = createHash("sha256").update(metadataLocation).digest("base64url").slice(0, 22);
  return `"${hash}.${snapshots}"`;
}

/** `If-None-Match` with one or several tags, weak ones too, or `*`. */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((candidate) => {
    const tag = candidate.trim().replace(/^W\//, "");
    return tag === "*" || tag === etag;
  });
}
