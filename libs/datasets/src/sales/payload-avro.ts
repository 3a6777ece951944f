import type { AvroSchema } from "@firn/core";

import { fieldsOf, optionalField } from "../payload/avro-fields.ts";

/** A payload of sales with the JSON's field names; dates are strings as they are there. */
export const SALES_PAYLOAD_AVRO: AvroSchema = {
  type: "record",
  name: "SalesPayload",
  namespace: "firn.sales",
  fields: [
    optionalField("source", "string"),
    {
      name: "transactions",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "Transaction",
          fields: [
            ...fieldsOf("string", "transaction_id", "transaction_date"),
            ...fieldsOf("long", "product_id", "quantity"),
            ...fieldsOf("double", "unit_price", "amount"),
            ...["store", "currency"].map((name) => optionalField(name, "string")),
          ],
        },
      },
    },
  ],
};
