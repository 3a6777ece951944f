/** Sentences about what is wrong with a value: field, the value's problem, the rule. */

const EXCERPT_LENGTH_MAX = 64;
export const PROBLEMS_MAX = 20;

/** What was found in one record: problems, of which a message lists the first PROBLEMS_MAX, and warnings. */
export class RecordProblems {
  readonly #warnings: string[] = [];
  #texts: string[] = [];
  #count = 0;
  /** Whether every problem so far is a conversion that failed. */
  #onlyConversion = true;

  get some(): boolean {
    return this.#count > 0;
  }

  get errorType(): "validation_error" | "transformation_error" {
    return this.#onlyConversion ? "transformation_error" : "validation_error";
  }

  get message(): string {
    const more = this.#count - this.#texts.length;
    return this.#texts.join("; ") + (more > 0 ? `; and ${more} more` : "");
  }

  add(text: string): void {
    this.#onlyConversion = false;
    this.#keep(text);
  }

  addConversion(text: string): void {
    this.#keep(text);
  }

  /** A value that is stored although it is odd; counted by its code. */
  warn(code: string): void {
    this.#warnings.push(code);
  }

  countWarnings(counts: Map<string, number>): void {
    for (const code of this.#warnings) counts.set(code, (counts.get(code) ?? 0) + 1);
  }

  reset(): void {
    this.#warnings.length = 0;
    if (this.#count === 0) return;
    this.#texts = [];
    this.#count = 0;
    this.#onlyConversion = true;
  }

  #keep(text: string): void {
    this.#count++;
    if (this.#texts.length < PROBLEMS_MAX) this.#texts.push(text);
  }
}

/** A value as a message shows it: scalars cut short, everything else by its kind. */
export function excerpt(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > EXCERPT_LENGTH_MAX
        ? `${JSON.stringify(value.slice(0, EXCERPT_LENGTH_MAX))}… (${value.length} characters)`
        : JSON.stringify(value);
    case "number":
    case "boolean":
      return String(value);
    default:
      return kindOf(value);
  }
}

export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  switch (typeof value) {
    case "string":
      return "a string";
    case "number":
      return "a number";
    case "boolean":
      return "a boolean";
    default:
      return "an object";
  }
}

/** `field` is missing, or is not what it must be (`rule`, such as "a string"). */
export function wrongKind(field: string, value: unknown, rule: string): string {
  if (value === undefined) return `${field} is missing: it is required`;
  return `${field} is ${typeof value === "object" ? kindOf(value) : excerpt(value)}: it must be ${rule}`;
}
