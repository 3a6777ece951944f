/** Parts of Avro schemas. */

/** A field that may be missing, which is null. */
export const optionalField = (name: string, type: unknown) => ({ name, type: ["null", type], default: null });

export const fieldsOf = (type: string, ...names: readonly string[]) => names.map((name) => ({ name, type }));
