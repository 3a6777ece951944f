import type { Catalog, LakeEnvironment, LoadedTable } from "@firn/lake";
import { expect, it } from "vitest";
import { TableCache } from "./table-cache.ts";

const definition = { namespace: "ns", name: "t" };

/** A catalog that answers when told to. */
function slowCatalog() {
  const asked: { ifNoneMatch: string | undefined; answer: (loaded: LoadedTable | "unchanged") => void }[] = [];
  const loadTable = (_: unknown, options: { ifNoneMatch?: string }) =>
    new Promise((answer) => asked.push({ ifNoneMatch: options.ifNoneMatch, answer }));
  const env = { catalog: { loadTable } as unknown as Catalog } as LakeEnvironment;
  return { cache: new TableCache(env), asked };
}
const loaded = (etag: string) =>
  ({ metadata: { etag }, metadataLocation: etag, config: {}, etag }) as unknown as LoadedTable;
const settle = () => new Promise((resolve) => setImmediate(resolve));

it("shares a load only with questions that came before it began", async () => {
  const { cache, asked } = slowCatalog();
  const first = cache.load(definition);
  const second = cache.load(definition);
  const third = cache.load(definition);
  expect(asked).toHaveLength(1);
  asked[0]!.answer(loaded("a"));
  expect((await first).metadataLocation).toBe("a");
  await settle();
  expect(asked).toHaveLength(2);
  expect(asked[1]!.ifNoneMatch).toBe("a");
  asked[1]!.answer(loaded("b"));
  expect((await second).metadataLocation).toBe("b");
  expect(await third).toBe(await second);
});

it("keeps the object of a table that did not change", async () => {
  const { cache, asked } = slowCatalog();
  const first = cache.load(definition);
  asked[0]!.answer(loaded("a"));
  const table = await first;
  const again = cache.load(definition);
  asked[1]!.answer("unchanged");
  expect(await again).toBe(table);
});
