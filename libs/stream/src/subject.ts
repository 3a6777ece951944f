import { StreamError } from "./stream-error.ts";

const TOKEN = /^[^\s.*>]+$/;

export function isLiteralSubject(subject: string): boolean {
  return subject !== "" && subject.split(".").every((token) => TOKEN.test(token));
}

export function isSubjectFilter(filter: string): boolean {
  const tokens = filter.split(".");
  return tokens.every((token, i) => TOKEN.test(token) || token === "*" || (token === ">" && i === tokens.length - 1));
}

/** Whether the filter (with NATS wildcards) takes in the literal subject. */
export function filterMatches(filter: string, subject: string): boolean {
  const wanted = filter.split(".");
  const have = subject.split(".");
  for (const [i, token] of wanted.entries()) {
    if (token === ">") return have.length > i;
    if (i >= have.length || (token !== "*" && token !== have[i])) return false;
  }
  return wanted.length === have.length;
}

/** Whether everything that `inner` takes in, `outer` takes in too. */
export function filterContains(outer: string, inner: string): boolean {
  const wide = outer.split(".");
  const narrow = inner.split(".");
  for (const [i, token] of wide.entries()) {
    if (token === ">") return narrow.length > i;
    const other = narrow[i];
    if (other === undefined || other === ">") return false;
    if (token !== "*" && token !== other) return false;
  }
  return wide.length === narrow.length;
}

export function assertLiteralSubject(subject: string): void {
  if (!isLiteralSubject(subject)) throw new StreamError("invalid", `not a subject: "${subject}"`, { subject });
}

export function assertSubjectFilters(filters: readonly string[]): void {
  if (filters.length === 0) throw new StreamError("invalid", "no subjects given");
  for (const filter of filters) {
    if (!isSubjectFilter(filter)) throw new StreamError("invalid", `not a subject filter: "${filter}"`, { filter });
  }
}

/** Whether some subject is taken in by both. */
function filtersOverlap(left: string, right: string): boolean {
  const a = left.split(".");
  const b = right.split(".");
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [one, other] = [a[i], b[i]];
    if (one === undefined || other === undefined) return false;
    if (one === ">" || other === ">") return true;
    if (one !== other && one !== "*" && other !== "*") return false;
  }
  return true;
}

/** Valid filters of which no two take in the same subject: JetStream refuses a consumer with overlapping ones. */
export function assertDisjointFilters(filters: readonly string[]): void {
  assertSubjectFilters(filters);
  for (const [i, filter] of filters.entries()) {
    for (const [j, other] of filters.entries()) {
      if (i < j && filtersOverlap(filter, other)) {
        throw new StreamError("invalid", `subject filters overlap: "${filter}" and "${other}"`, { filter, other });
      }
    }
  }
}
