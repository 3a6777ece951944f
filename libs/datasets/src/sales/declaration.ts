import { declareDataset, namespaceSetting, tableNameSetting } from "../dataset-declaration.ts";
import { createSalesDataset } from "./dataset.ts";
import { SALES_QUESTIONS } from "./questions/definitions.ts";

/** The sales lake, and what a site may choose of it. */
export const salesDeclaration = declareDataset({
  questions: SALES_QUESTIONS,
  settings: {
    salesNamespace: namespaceSetting("FIRN_SALES_DATABASE", "sales", "Namespace of the sales tables"),
    salesRawTable: tableNameSetting(
      "FIRN_SALES_TABLE_RAW",
      "sales_transactions_raw",
      "Name of the sales lake's table of transactions.",
    ),
    salesSummaryTable: tableNameSetting(
      "FIRN_SALES_TABLE_SUMMARY",
      "sales_daily_summary",
      "Name of the sales lake's daily summary.",
    ),
  },
  create: (values) =>
    createSalesDataset({
      namespace: values.salesNamespace,
      rawTable: values.salesRawTable,
      summaryTable: values.salesSummaryTable,
    }),
});
