import { expect, it } from "vitest";
import { sessionPolicy } from "./session-policy.ts";

interface Statement {
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: unknown;
}

const statements = (...input: Parameters<typeof sessionPolicy>): Statement[] =>
  (JSON.parse(sessionPolicy(...input)) as { Statement: Statement[] }).Statement;

it("allows the objects of the table and their listing, and nothing beside", () => {
  const [objects, listing] = statements(["s3://lake/wh/ns/t"], "write");
  expect(objects).toMatchObject({ Effect: "Allow", Resource: ["arn:aws:s3:::lake/wh/ns/t/*"] });
  expect(objects!.Action).toContain("s3:PutObject");
  expect(listing).toMatchObject({
    Action: ["s3:ListBucket"],
    Resource: ["arn:aws:s3:::lake"],
    Condition: { StringLike: { "s3:prefix": ["wh/ns/t", "wh/ns/t/*"] } },
  });
});

it("lets readers read", () => {
  expect(statements(["s3://lake/t"], "read")[0]!.Action).toEqual(["s3:GetObject"]);
});

it("takes stars and question marks of a location for themselves, so that no location reaches others", () => {
  const [objects] = statements(["s3://lake/wh/*/a?${aws:username}"], "write");
  expect(objects!.Resource).toEqual(["arn:aws:s3:::lake/wh/${*}/a${?}${$}{aws:username}/*"]);
});

it("refuses a whole bucket", () => {
  expect(() => sessionPolicy(["s3://lake"], "write")).toThrow("no folder of a bucket");
});
