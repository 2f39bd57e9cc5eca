/**
 * `${…}` references in configuration values (https://opentelemetry.io/docs/collector/configuration/#environment-variables).
 *
 *     ${env:NAME}  ${env:NAME:-default}  ${NAME}  ${file:/path}  ${yaml:…}  ${http://…}  ${https://…}
 *     $$ is a literal $; `$NAME` and an unclosed `${` are left alone.
 *
 * A value that is exactly one reference takes the type of what it refers to (and keeps the text, for fields that want
 * text); a reference within more text is replaced by text.
 */
import { ConfigError } from '../component/errors.js';
import type { ConfigNode, Entry, Position } from './node.js';
import { type ProviderTools, retrieve, splitScheme } from './providers.js';
import { parseYaml, YamlError } from './yaml.js';

const MAX_ROUNDS = 1000;

/** Replaces all references below `node`. Throws `ConfigError` with the Collector's sentence. */
export function expandNode(node: ConfigNode, tools: ProviderTools): Promise<ConfigNode> {
  return mapScalars(node, (text, position) => expandScalar(text, position, { tools, rounds: 0 }));
}

/** One value of the user's files and everything that it expands to. */
interface Expansion {
  readonly tools: ProviderTools;
  /** References followed so far. */
  rounds: number;
}

/** `node` with each text that may hold a reference replaced by what `expand` makes of it. */
async function mapScalars(
  node: ConfigNode,
  expand: (text: string, position: Position) => Promise<ConfigNode>,
): Promise<ConfigNode> {
  if (node.kind === 'scalar') {
    return typeof node.value === 'string' && node.value.includes('$')
      ? expand(node.value, node.position)
      : node;
  }
  if (node.kind === 'list') {
    const items: ConfigNode[] = [];
    for (const item of node.items) items.push(await mapScalars(item, expand));
    return { ...node, items };
  }
  const entries = new Map<string, Entry>();
  for (const [key, entry] of node.entries) {
    entries.set(key, { ...entry, node: await mapScalars(entry.node, expand) });
  }
  return { ...node, entries };
}

async function expandScalar(text: string, position: Position, expansion: Expansion): Promise<ConfigNode> {
  const whole = wholeReference(text);
  if (whole !== undefined) {
    return follow(await expandText(whole, position, expansion), position, expansion);
  }
  const expanded = await expandText(text, position, expansion);
  return { kind: 'scalar', value: expanded, text: expanded, position };
}

/** Text with every reference in it replaced by text. */
async function expandText(text: string, position: Position, expansion: Expansion): Promise<string> {
  let out = '';
  for (let at = 0; at < text.length; ) {
    if (text.startsWith('$$', at)) {
      out += '$';
      at += 2;
      continue;
    }
    const end = text.startsWith('${', at) ? closingBrace(text, at + 2) : -1;
    if (end < 0) {
      out += text[at++];
      continue;
    }
    const uri = await expandText(text.slice(at + 2, end), position, expansion);
    const node = await follow(uri, position, expansion);
    out += node.text ?? '';
    at = end + 1;
  }
  return out;
}

/** What a reference stands for, references inside it replaced too. The node always has a text. */
async function follow(uri: string, position: Position, expansion: Expansion): Promise<ConfigNode> {
  if (++expansion.rounds > MAX_ROUNDS) throw new ConfigError('too many recursive expansions');
  const { scheme, rest } = splitScheme(uri);
  if (scheme === undefined && uri.includes(':')) {
    throw new ConfigError(`invalid uri: ${JSON.stringify(uri)}`);
  }
  if (rest.includes('$')) {
    throw new ConfigError(
      `the uri ${JSON.stringify(`${scheme ?? 'env'}:${rest}`)} contains unsupported characters ('$')`,
    );
  }
  const retrieved = await retrieve(scheme ?? 'env', rest, expansion.tools);
  if (retrieved === undefined) throw new ConfigError(`scheme "${scheme}" is not supported for uri "${uri}"`);
  if (retrieved.text === undefined) return { kind: 'scalar', value: null, text: '', position };
  const raw = retrieved.text;
  const node = typed(raw, position);
  if (!raw.includes('$')) return node;
  // Parsed first, expanded then: a variable can't smuggle YAML structure into the text around it.
  if (node.kind === 'scalar') return expandScalar(raw, position, expansion);
  const expanded = await mapScalars(node, (text, at) => expandScalar(text, at, expansion));
  return { ...expanded, text: await expandText(raw, position, expansion) };
}

/** The value that YAML sees in `text`; text that is not YAML is a string. */
function typed(text: string, position: Position): ConfigNode {
  let node: ConfigNode;
  try {
    node = parseYaml(text, position.source);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return { kind: 'scalar', value: text, text, position };
  }
  return { ...relocate(node, position), text };
}

/** Problems in an expanded value are shown where the reference stands. */
function relocate(node: ConfigNode, position: Position): ConfigNode {
  if (node.kind === 'list') {
    return { ...node, position, items: node.items.map((item) => relocate(item, position)) };
  }
  if (node.kind === 'map') {
    const entries = new Map(
      [...node.entries].map(([key, entry]) => [key, { position, node: relocate(entry.node, position) }]),
    );
    return { ...node, position, entries };
  }
  return { ...node, position };
}

/** The inside of `text` when it is one reference and nothing else. */
function wholeReference(text: string): string | undefined {
  if (!text.startsWith('${')) return undefined;
  return closingBrace(text, 2) === text.length - 1 ? text.slice(2, -1) : undefined;
}

/** Index of the brace that closes a reference whose inside starts at `from`, or -1. */
function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) {
      depth++;
      at++;
    } else if (text[at] === '}' && --depth === 0) return at;
  }
  return -1;
}
