const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether a string is well-formed UTF-16: no surrogate without its other half, so that UTF-8 can hold it. */
export function isWellFormedText(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
