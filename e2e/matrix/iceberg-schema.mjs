// The columns of a feature as the REST catalog's JSON has a schema; ids link the parts, the catalog assigns its own.

/** @returns the "schema" of a create-table request */
export function icebergSchema(columns) {
  let last = columns.length;
  const typeOf = (type) => {
    if (type.list)
      return { type: "list", "element-id": (last += 1), element: typeOf(type.list), "element-required": false };
    if (type.map) {
      const ids = { "key-id": (last += 1), "value-id": (last += 1) };
      return { type: "map", ...ids, key: typeOf(type.map[0]), value: typeOf(type.map[1]), "value-required": false };
    }
    if (!type.struct) return type;
    const fields = Object.entries(type.struct).map(([name, field]) => ({
      id: (last += 1),
      name,
      required: false,
      field,
    }));
    return { type: "struct", fields: fields.map(({ field, ...rest }) => ({ ...rest, type: typeOf(field) })) };
  };
  const fields = columns.map(({ name, type }, index) => ({ id: index + 1, name, required: false, type: typeOf(type) }));
  return { type: "struct", fields };
}

/** @returns the "partition-spec" of the same request */
export function icebergSpec(columns, partition = []) {
  const fields = partition.map(({ source, transform }) => ({
    "source-id": columns.findIndex(({ name }) => name === source) + 1,
    name: partitionName({ source, transform }),
    transform,
  }));
  return { fields };
}

export function partitionName({ source, transform }) {
  return transform === "identity" ? source : `${source}_${transform.replaceAll(/\W/g, "")}`;
}
