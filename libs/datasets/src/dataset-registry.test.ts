import { expect, it } from "vitest";
import { datasetRegistry } from "./dataset-registry.ts";
import { healthDeclaration } from "./health/declaration.ts";
import { salesDeclaration } from "./sales/declaration.ts";

it("makes every lake with its defaults, and with what a site chose", () => {
  const registry = datasetRegistry([healthDeclaration, salesDeclaration]);
  expect(registry.create().get("sales")!.raw.name).toBe("sales_transactions_raw");
  const chosen = registry.create({ salesRawTable: "sales", healthNamespace: "h" });
  expect([...chosen.values()].map(({ namespace, raw }) => `${namespace}.${raw.name}`)).toEqual([
    "h.health_data_raw",
    "sales.sales",
  ]);
});

it("refuses lakes with a setting, a variable or a name in common", () => {
  expect(() => datasetRegistry([salesDeclaration, salesDeclaration])).toThrow(
    "two lakes have the setting salesNamespace",
  );
  const { salesNamespace } = salesDeclaration.settings;
  const sameVariable = { ...healthDeclaration, settings: { otherNamespace: salesNamespace } };
  expect(() => datasetRegistry([salesDeclaration, sameVariable])).toThrow("the variable FIRN_SALES_DATABASE");
  const sameName = { ...healthDeclaration, settings: {}, create: () => salesDeclaration.create({} as never) };
  expect(() => datasetRegistry([salesDeclaration, sameName])).toThrow("two lakes have the name sales");
});
