import { shapeError, type Namespace, type TableIdentifier } from "@firn/lake";

/** Levels of a namespace in a path or parameter are separated by U+001F (REST specification, `%1F`). */
const LEVEL_SEPARATOR = "\u001f";

/**
 * Names in the path of a request, `/v1/namespaces/<namespace>/tables/<table>`. They are read from the raw URL, because
 * Java encodes a space as `+` and a plus as `%2B`, which a decoded path no longer tells apart.
 */
export function namespaceOf(rawUrl: string): Namespace {
  return segment(rawUrl, 3).split(LEVEL_SEPARATOR);
}

export function tableOf(rawUrl: string): TableIdentifier {
  return { namespace: namespaceOf(rawUrl), name: segment(rawUrl, 5) };
}

function segment(rawUrl: string, index: number): string {
  const path = rawUrl.split("?", 1)[0] as string;
  const text = path.split("/")[index] ?? "";
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw shapeError("path", `${JSON.stringify(text)} is not percent-encoded UTF-8`);
  }
}

/** The `parent` of a namespace listing; empty for the top level. */
export function parentOf(parent: string | undefined): Namespace {
  return parent === undefined || parent === "" ? [] : parent.split(LEVEL_SEPARATOR);
}
