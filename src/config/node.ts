/**
 * The configuration as a tree that still knows where each value came from, so that every problem can name a file and a
 * line, and so that `${env:X}` can be a number for a number field and its exact text for a text field.
 */
export interface Position {
  /** File name or URI as the user wrote it. */
  readonly source: string;
  /** From 1; 0 when the source has no lines (a flag, an environment variable). */
  readonly line: number;
  readonly column: number;
}

export type Scalar = string | number | boolean | null;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: Scalar;
  /** What the user wrote, when it may be used in place of `value` where a text is wanted (expanded references). */
  readonly text: string | undefined;
  readonly position: Position;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly text: string | undefined;
  readonly position: Position;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly text: string | undefined;
  readonly position: Position;
}

export interface Entry {
  readonly node: ConfigNode;
  /** Of the key. */
  readonly position: Position;
}

export type ConfigNode = ScalarNode | ListNode | MapNode;

/** `config.yaml:3:5`, or only the source when there is no line. */
export const formatPosition = ({ source, line, column }: Position): string =>
  line === 0 ? source : `${source}:${line}:${column}`;

/** The node at `path`, or undefined. */
export function nodeAt(node: ConfigNode | undefined, path: readonly PropertyKey[]): ConfigNode | undefined {
  let current = node;
  for (const step of path) {
    if (current?.kind === 'map') current = current.entries.get(String(step))?.node;
    else if (current?.kind === 'list') current = current.items[Number(step)];
    else return undefined;
  }
  return current;
}

/** Where the user should look for `path`: its key, or the deepest part of it that exists. */
export function positionOf(node: ConfigNode | undefined, path: readonly PropertyKey[]): Position | undefined {
  let current = node;
  let position = node?.position;
  for (const step of path) {
    if (current?.kind === 'map') {
      const entry = current.entries.get(String(step));
      if (entry === undefined) return position;
      position = entry.position;
      current = entry.node;
    } else if (current?.kind === 'list') {
      current = current.items[Number(step)];
      position = current?.position ?? position;
    } else return position;
  }
  return position;
}

/** Plain JavaScript data. */
export function toPlain(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toPlain);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toPlain(entry.node)]));
}

/** The tree of plain data; every position is `position`. */
export function fromPlain(value: unknown, position: Position): ConfigNode {
  if (Array.isArray(value)) {
    return {
      kind: 'list',
      items: value.map((item) => fromPlain(item, position)),
      text: undefined,
      position,
    };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = new Map(
      Object.entries(value).map(([key, item]) => [key, { node: fromPlain(item, position), position }]),
    );
    return { kind: 'map', entries, text: undefined, position };
  }
  return { kind: 'scalar', value: value as Scalar, text: undefined, position };
}

/** Go's name of a value's type; users of the Collector know the messages that carry it. */
export function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float64';
    case 'object':
      return 'map[string]interface {}';
    default:
      return 'string';
  }
}

/** Go's name of the kind of a value (`reflect.Kind`), which other messages carry. */
export function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  return typeof value === 'object' && value !== null ? 'map' : goType(value);
}

/** Nothing behind the colon, or a null. */
export const isNull = (node: ConfigNode): boolean => node.kind === 'scalar' && node.value === null;

/** `{}` where `node` stands. */
export const emptyMap = ({ position }: { readonly position: Position }): MapNode => ({
  kind: 'map',
  entries: new Map(),
  text: undefined,
  position,
});
