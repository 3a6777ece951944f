/** The forms an answer can have, the first one where the asker does not care. */
export const MEDIA_TYPES = ["application/json", "text/csv", "application/vnd.apache.arrow.stream"] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];

/** What `Accept` asks for (RFC 9110, section 12.5.1); undefined when nothing that we have fits. */
export function chooseMediaType(accept: string | undefined): MediaType | undefined {
  if (accept === undefined || accept.trim() === "") return MEDIA_TYPES[0];
  const ranges = accept.split(",").map(parseRange);
  let best: { type: MediaType; quality: number } | undefined;
  for (const type of MEDIA_TYPES) {
    const quality = qualityOf(type, ranges);
    if (quality > (best?.quality ?? 0)) best = { type, quality };
  }
  return best?.type;
}

interface MediaRange {
  readonly range: string;
  readonly quality: number;
}

function parseRange(text: string): MediaRange {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  const quality = q === undefined ? 1 : Number(q);
  return { range, quality: Number.isNaN(quality) ? 0 : quality };
}

/** The most specific range decides. */
function qualityOf(type: MediaType, ranges: readonly MediaRange[]): number {
  for (const candidate of [type, `${type.split("/")[0]}/*`, "*/*"]) {
    const found = ranges.find((range) => range.range === candidate);
    if (found !== undefined) return found.quality;
  }
  return 0;
}
