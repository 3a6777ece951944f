import type { FileAccess } from "./credential-vendor.ts";

const READ = ["s3:GetObject"];
const WRITE = [...READ, "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"];

/**
 * What a session may do: read, or read and write, the objects below the prefixes, and list those; nothing else of the
 * role (AWS IAM, "Session policies"). Stars, question marks and dollars of a location stand for themselves.
 */
export function sessionPolicy(prefixes: readonly string[], access: FileAccess): string {
  const places = prefixes.map(placeOf);
  const listings = places.map(({ bucket, key }) => ({
    Effect: "Allow",
    Action: ["s3:ListBucket"],
    Resource: [`arn:aws:s3:::${bucket}`],
    Condition: { StringLike: { "s3:prefix": [key, `${key}/*`] } },
  }));
  const objects = {
    Effect: "Allow",
    Action: access === "read" ? READ : WRITE,
    Resource: places.map(({ bucket, key }) => `arn:aws:s3:::${bucket}/${key}/*`),
  };
  return JSON.stringify({ Version: "2012-10-17", Statement: [objects, ...listings] });
}

function placeOf(prefix: string): { bucket: string; key: string } {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(prefix) ?? [];
  if (bucket === "" || key === "") throw new Error(`no folder of a bucket: ${prefix}`);
  return { bucket: literal(bucket), key: literal(key) };
}

/** `${*}`, `${?}` and `${$}` are the characters themselves (AWS IAM, "Policy variables"). */
function literal(text: string): string {
  return text.replace(/[*?$]/g, (character) => `\${${character}}`);
}
