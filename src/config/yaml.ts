/**
 * YAML text to configuration tree. Scalars are resolved by our own function with the rules that users of the Collector
 * know: go-yaml v3 (YAML 1.2 booleans, but 1.1 octals and digit separators; https://github.com/go-yaml/yaml/tree/v3).
 */
import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { ConfigNode, Entry, Position, Scalar } from './node.js';
import { goYamlSentence } from './yaml-sentence.js';

/** Bounds a document whose aliases multiply ("billion laughs"). */
const MAX_NODES = 100_000;

/** The text is not YAML. `message` is a sentence of the form `yaml: line 2: …`. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/** Tags that make a value of a text in quotes. */
const TYPED_TAGS = new Set(['!!int', '!!float', '!!bool', '!!null']);

/** Parses one document. `source` names it in positions. An empty document is a null scalar. Throws `YamlError`. */
export function parseYaml(text: string, source: string): ConfigNode {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    // Scalars stay text: `resolveScalar` gives them types.
    schema: 'failsafe',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  if (document.errors.length > 0) {
    throw new YamlError(goYamlSentence(text, document.errors, (offset) => lines.linePos(offset).line));
  }

  let nodes = 0;
  const positionOf = (node: Node | null | undefined): Position => {
    const { line, col } = lines.linePos(node?.range?.[0] ?? 0);
    return { source, line, column: col };
  };

  const convert = (node: Node | null | undefined, open: readonly Alias[]): ConfigNode => {
    if (++nodes > MAX_NODES) throw new YamlError('yaml: document contains excessive aliasing');
    const position = positionOf(node);
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined) throw new YamlError(`yaml: unknown anchor '${node.source}' referenced`);
      if (open.some((alias) => alias.source === node.source)) {
        throw new YamlError(`yaml: anchor '${node.source}' value contains itself`);
      }
      return convert(target, [...open, node]);
    }
    if (isMap(node)) {
      const entries = new Map<string, Entry>();
      const merged = new Map<string, Entry>();
      for (const pair of node.items) {
        const keyNode = pair.key as Node | null;
        const keyPosition = positionOf(keyNode);
        const key = isScalar(keyNode) ? String(keyNode.value ?? '') : String(keyNode);
        const value = convert(pair.value as Node | null, open);
        if (key === '<<' && isScalar(keyNode) && keyNode.type === 'PLAIN') {
          for (const part of value.kind === 'list' ? value.items : [value]) {
            if (part.kind !== 'map')
              throw new YamlError('yaml: map merge requires map or sequence of maps as the value');
            for (const [name, entry] of part.entries) if (!merged.has(name)) merged.set(name, entry);
          }
          continue;
        }
        const before = entries.get(key);
        if (before !== undefined) {
          throw new YamlError(
            `yaml: unmarshal errors:\n  line ${keyPosition.line}: mapping key ${JSON.stringify(key)} ` +
              `already defined at line ${before.position.line}`,
          );
        }
        entries.set(key, { node: value, position: keyPosition });
      }
      for (const [name, entry] of merged) if (!entries.has(name)) entries.set(name, entry);
      return { kind: 'map', entries, text: undefined, position };
    }
    if (isSeq(node)) {
      const items = node.items.map((item) => convert(item as Node | null, open));
      return { kind: 'list', items, text: undefined, position };
    }
    if (!isScalar(node)) return { kind: 'scalar', value: null, text: undefined, position };
    const raw = String(node.value ?? '');
    const tag = node.tag?.replace('tag:yaml.org,2002:', '!!');
    const isText = TYPED_TAGS.has(tag ?? '') ? false : node.type !== 'PLAIN' || tag === '!!str';
    return { kind: 'scalar', value: isText ? raw : resolveScalar(raw), text: undefined, position };
  };
  return convert(document.contents, []);
}

/** The typed value of a plain (unquoted) scalar. */
export function resolveScalar(text: string): Scalar {
  switch (text) {
    case '':
    case '~':
    case 'null':
    case 'Null':
    case 'NULL':
      return null;
    case 'true':
    case 'True':
    case 'TRUE':
      return true;
    case 'false':
    case 'False':
    case 'FALSE':
      return false;
    case '.inf':
    case '.Inf':
    case '.INF':
    case '+.inf':
      return Number.POSITIVE_INFINITY;
    case '-.inf':
    case '-.Inf':
    case '-.INF':
      return Number.NEGATIVE_INFINITY;
    case '.nan':
    case '.NaN':
    case '.NAN':
      return Number.NaN;
  }
  const digits = text.replaceAll('_', '');
  const sign = digits.startsWith('-') ? -1 : 1;
  const body = digits.replace(/^[-+]/, '');
  if (/^(?:0|[1-9]\d*)$/.test(body)) return sign * Number(body);
  if (/^0x[0-9a-fA-F]+$/.test(body)) return sign * Number(body);
  if (/^0b[01]+$/.test(body)) return sign * Number(body);
  if (/^0o[0-7]+$/.test(body)) return sign * Number(body);
  if (/^0[0-7]+$/.test(body)) return sign * Number.parseInt(body, 8);
  if (/^(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(body)) return sign * Number(body);
  return text;
}
