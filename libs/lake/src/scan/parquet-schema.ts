import { LakeError } from "../lake-error.ts";
import { OutOfBytes, ThriftReader } from "./thrift-reader.ts";

/** What one column, or one part of a nested column, of a Parquet file is. */
export interface ParquetNode {
  readonly name: string;
  /** undefined: its writer knew of no Iceberg schema. */
  readonly fieldId: number | undefined;
  /** An Iceberg type's name where there is one (`int`, `timestamptz`, `decimal(9, 2)`), else Parquet's own. */
  readonly type: string;
  /** Of a struct its fields, of a list its element, of a map its key and value; of a primitive none. */
  readonly children: readonly ParquetNode[];
}

export interface ParquetColumns {
  readonly columns: readonly ParquetNode[];
  /** The same for files of the same columns. */
  readonly signature: string;
}

/** What of a Parquet footer tells how to read the file. */
export interface ParquetSchema extends ParquetColumns {
  readonly rows: number;
}

/** Parts of a schema, as deep and as many as no sane file has. */
const NODES_MAX = 100_000;
const DEPTH_MAX = 100;

interface Element {
  type?: number;
  typeLength?: number;
  repetition?: number;
  name: string;
  children: number;
  converted?: number;
  scale?: number;
  precision?: number;
  fieldId?: number;
  logical?: string;
}

/**
 * Reads the beginning of a Parquet footer: its schema and number of rows (Parquet format, "FileMetaData").
 * @returns undefined when `bytes` end too early
 * @throws LakeError `corrupt`
 */
export function parseParquetSchema(bytes: Buffer): ParquetSchema | undefined {
  const reader = new ThriftReader(bytes);
  let elements: Element[] | undefined;
  let rows: number | undefined;
  try {
    reader.struct((id) => {
      if (id === 2) elements = readElements(reader);
      else if (id === 3) rows = Number(reader.i64());
      else return id > 3 ? "stop" : false;
      return rows === undefined || elements === undefined ? true : "stop";
    });
  } catch (error) {
    if (error instanceof OutOfBytes) return undefined;
    throw error;
  }
  if (elements === undefined || rows === undefined || rows < 0) throw corrupt("it has no schema or no number of rows");
  const columns = treeOf(elements);
  return { columns, rows, signature: JSON.stringify(columns) };
}

function readElements(reader: ThriftReader): Element[] {
  const count = reader.structList();
  if (count > NODES_MAX) throw corrupt(`it has more than ${NODES_MAX} columns`);
  return Array.from({ length: count }, () => readElement(reader));
}

function readElement(reader: ThriftReader): Element {
  const element: Element = { name: "", children: 0 };
  const readers: Readonly<Record<number, () => void>> = {
    1: () => (element.type = reader.i32()),
    2: () => (element.typeLength = reader.i32()),
    3: () => (element.repetition = reader.i32()),
    4: () => (element.name = reader.string()),
    5: () => (element.children = reader.i32()),
    6: () => (element.converted = reader.i32()),
    7: () => (element.scale = reader.i32()),
    8: () => (element.precision = reader.i32()),
    9: () => (element.fieldId = reader.i32()),
    10: () => readLogical(reader, element),
  };
  reader.struct((id) => {
    const read = readers[id];
    read?.();
    return read !== undefined;
  });
  return element;
}

const LOGICAL: Readonly<Record<number, string>> = {
  1: "string",
  2: "map",
  3: "list",
  4: "string",
  5: "decimal",
  6: "date",
  7: "time",
  8: "timestamp",
  10: "integer",
  11: "unknown",
  12: "string",
  13: "binary",
  14: "uuid",
  15: "float16",
  16: "variant",
  17: "geometry",
  18: "geography",
};

function readLogical(reader: ThriftReader, element: Element): void {
  reader.struct((kind) => {
    element.logical = LOGICAL[kind] ?? `logical type ${kind}`;
    const [timed, decimal] = [kind === 7 || kind === 8, kind === 5];
    reader.struct((id, flag) => {
      if (timed && id === 1) {
        if (kind === 8 && flag) element.logical = "timestamptz";
        return true;
      }
      if (decimal && id === 1) element.scale = reader.i32();
      else if (decimal && id === 2) element.precision = reader.i32();
      else if (kind === 8 && id === 2) readUnit(reader, element);
      else return false;
      return true;
    }, 1);
    return true;
  });
}

const NANOS = 3;

function readUnit(reader: ThriftReader, element: Element): void {
  reader.struct((unit) => {
    if (unit === NANOS) element.logical += "_ns";
    return false;
  }, 2);
}

function treeOf(elements: readonly Element[]): ParquetNode[] {
  let next = 1;
  const take = (depth: number): { element: Element; children: Tree[] } => {
    const element = elements[next++];
    if (element === undefined) throw corrupt("its schema ends early");
    return { element, children: children(element.children, depth) };
  };
  const children = (count: number, depth: number): Tree[] => {
    if (depth > DEPTH_MAX) throw corrupt(`its columns nest deeper than ${DEPTH_MAX} levels`);
    if (count < 0 || count > elements.length - next) throw corrupt("its schema ends early");
    return Array.from({ length: count }, () => take(depth + 1));
  };
  const root = elements[0];
  if (root === undefined) throw corrupt("it has no schema");
  const columns = children(root.children, 0).map(nodeOf);
  if (next !== elements.length) throw corrupt("its schema has parts that belong to nothing");
  return columns;
}

interface Tree {
  readonly element: Element;
  readonly children: readonly Tree[];
}

const REPEATED = 2;
const [CONVERTED_MAP, CONVERTED_MAP_KEY_VALUE, CONVERTED_LIST] = [1, 2, 3];

function nodeOf(tree: Tree): ParquetNode {
  const { element, children } = tree;
  if (element.repetition === REPEATED) return { ...node(element, "list"), fieldId: undefined, children: [inner(tree)] };
  if (children.length === 0) return node(element, primitiveType(element));
  const isMap = element.logical === "map" || [CONVERTED_MAP, CONVERTED_MAP_KEY_VALUE].includes(element.converted ?? -1);
  const isList = element.logical === "list" || element.converted === CONVERTED_LIST;
  const [repeated] = children;
  if (isMap && repeated?.children.length === 2) {
    return { ...node(element, "map"), children: repeated.children.map(nodeOf) };
  }
  if (isList && children.length === 1) return { ...node(element, "list"), children: [elementOf(repeated!, element)] };
  return { ...node(element, "struct"), children: children.map(nodeOf) };
}

/** The element of a list: three levels as written today, or two as before (Parquet format, "Backward-compatibility rules"). */
function elementOf(repeated: Tree, list: Element): ParquetNode {
  const { element, children } = repeated;
  const isElement = children.length !== 1 || element.name === "array" || element.name === `${list.name}_tuple`;
  return isElement ? inner(repeated) : nodeOf(children[0]!);
}

/** A repeated part itself, once. */
function inner({ element, children }: Tree): ParquetNode {
  return nodeOf({ element: { ...element, repetition: 0 }, children });
}

function node({ name, fieldId }: Element, type: string): ParquetNode {
  return { name, fieldId, type, children: [] };
}

const PHYSICAL = ["boolean", "int", "long", "int96", "float", "double", "binary", "fixed"] as const;
const CONVERTED: Readonly<Record<number, string>> = {
  0: "string",
  4: "string",
  6: "date",
  7: "time",
  8: "time",
  9: "timestamptz",
  10: "timestamptz",
  19: "string",
};
const CONVERTED_DECIMAL = 5;

function primitiveType(element: Element): string {
  const physical = PHYSICAL[element.type ?? -1];
  if (physical === undefined) throw corrupt(`column ${element.name} has no type`);
  if (element.logical === "decimal" || (element.logical === undefined && element.converted === CONVERTED_DECIMAL)) {
    return `decimal(${element.precision ?? 0}, ${element.scale ?? 0})`;
  }
  const logical = element.logical ?? CONVERTED[element.converted ?? -1];
  if (logical !== undefined && logical !== "integer") return logical;
  return physical === "fixed" ? `fixed[${element.typeLength ?? 0}]` : physical;
}

function corrupt(why: string): LakeError {
  return new LakeError("corrupt", `the footer is damaged: ${why}`);
}
