import type { EnvelopeProblem } from "./dataset.ts";

/**
 * Thrown by a question's planner where what is asked for cannot be answered: the asker gets this status with its code,
 * message and the parameters that are wrong.
 */
export class QuestionRefusal extends Error {
  override readonly name = "QuestionRefusal";
  readonly status: 400 | 404 | 409 | 413 | 422;
  readonly code: string;
  readonly errors: readonly EnvelopeProblem[];

  /**
   * @param status of HTTP; over NATS it stands in the body
   * @param code a stable word for programs, `unknown_gauge`
   * @param message a sentence for people
   */
  constructor(
    status: QuestionRefusal["status"],
    code: string,
    message: string,
    errors: readonly EnvelopeProblem[] = [],
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.errors = errors;
  }
}
