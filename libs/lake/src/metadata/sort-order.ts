/** Sort orders as they stand in JSON (Iceberg specification, appendix C "Sort Orders"). */
export interface SortField {
  readonly transform: string;
  readonly "source-id": number;
  readonly direction: "asc" | "desc";
  readonly "null-order": "nulls-first" | "nulls-last";
}

export interface SortOrder {
  readonly "order-id": number;
  readonly fields: readonly SortField[];
}

/** A sort order as a request carries it. */
export type UnnumberedSortOrder = Omit<SortOrder, "order-id"> & { readonly "order-id"?: number };

/** Order id 0 is reserved for "unsorted". */
export const UNSORTED: SortOrder = { "order-id": 0, fields: [] };
