import { Problem } from "@firn/service";

/** 409: another portfolio has the name. */
export function nameTaken(name: string): Problem {
  const message = `there is a portfolio called ${name} already`;
  return new Problem(409, "name_taken", message, { errors: [{ field: "save_as", rule: "unique", message }] });
}
