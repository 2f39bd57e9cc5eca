/** From `--config` and `--set` to one configuration tree. */
import { ConfigError } from '../component/errors.js';
import { expandNode } from './expand.js';
import { type FeatureGates, MERGE_APPEND } from './feature-gates.js';
import { mergeNodes } from './merge.js';
import {
  type ConfigNode,
  type Entry,
  emptyMap,
  goType,
  type MapNode,
  type Position,
  toPlain,
} from './node.js';
import { PROVIDER_SCHEMES, type ProviderTools, retrieve, splitScheme } from './providers.js';
import { parseYaml, YamlError } from './yaml.js';

export interface ConfigSources {
  /** Values of `--config`, in order; the last one wins. A path, or `file:`, `yaml:`, `env:`, `http:`, `https:`. */
  readonly uris: readonly string[];
  /** Values of `--set`, for example `receivers.otlp.protocols.grpc.endpoint=localhost:0`; they win over files. */
  readonly sets?: readonly string[];
  /** Left out: all as they are without the flag. */
  readonly gates?: FeatureGates;
}

const NO_CONF =
  'retrieved value (type=string) cannot be used as a Conf: assuming string type since contents are not valid YAML';
const RESOLVE = 'failed to get config: cannot resolve the configuration: ';

/** Reads, merges and expands. Throws `ConfigError` with the Collector's sentence. */
export async function loadConfig(sources: ConfigSources, tools: ProviderTools): Promise<ConfigNode> {
  if (sources.uris.length === 0) throw new ConfigError('at least one config flag must be provided');
  const overrides = (sources.sets ?? []).map(parseSet);
  let root: ConfigNode = emptyMap({ position: { source: sources.uris[0]!, line: 0, column: 0 } });
  const lists = sources.gates?.isEnabled(MERGE_APPEND) === true ? 'append' : 'replace';
  for (const uri of sources.uris) root = mergeNodes(root, await loadUri(uri, tools), lists);
  for (const override of overrides) root = mergeNodes(root, override, lists);
  return resolving(() => expandNode(root, tools));
}

async function loadUri(uri: string, tools: ProviderTools): Promise<ConfigNode> {
  const { scheme = 'file', rest } = splitUri(uri);
  const known: readonly string[] = PROVIDER_SCHEMES;
  if (!known.includes(scheme)) throw new ConfigError(`unsupported scheme on URI ${JSON.stringify(uri)}`);
  const retrieved = await resolving(
    () => retrieve(scheme, rest, tools),
    'cannot retrieve the configuration: ',
  );
  const source = retrieved?.source ?? uri;
  return resolving(() => parseRoot(retrieved?.text ?? '', source, scheme === 'yaml'));
}

/** Without a scheme, or with one of a single letter, a URI is a path. */
function splitUri(uri: string): { scheme: string | undefined; rest: string } {
  const split = splitScheme(uri);
  return split.scheme !== undefined && split.scheme.length > 1 ? split : { scheme: undefined, rest: uri };
}

function parseRoot(text: string, source: string, shortKeys: boolean): ConfigNode {
  let node: ConfigNode;
  try {
    node = parseYaml(text, source);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new ConfigError(`${NO_CONF}: ${error.message}`, { cause: error });
  }
  if (node.kind === 'scalar' && node.value === null) return emptyMap(node);
  if (node.kind !== 'map') {
    throw new ConfigError(`retrieved value (type=${goType(toPlain(node))}) cannot be used as a Conf`);
  }
  return shortKeys ? expandKeys(node) : node;
}

/** `a::b: 1` is short for `a: {b: 1}`. */
function expandKeys(node: MapNode): ConfigNode {
  let root: ConfigNode = emptyMap(node);
  for (const [key, entry] of node.entries) root = mergeNodes(root, nest(key.split('::'), entry));
  return root;
}

function nest(path: readonly string[], entry: Entry): ConfigNode {
  return path.reduceRight<ConfigNode>((node, key) => {
    const entries = new Map([[key, { node, position: entry.position }]]);
    return { kind: 'map', entries, text: undefined, position: entry.position };
  }, entry.node);
}

/** `a.b.c=v` or `a::b::c=v`; the value is YAML. */
function parseSet(flag: string): ConfigNode {
  const equals = flag.indexOf('=');
  if (equals < 0) {
    throw new ConfigError(`invalid argument ${JSON.stringify(flag)} for "--set" flag: missing equal sign`);
  }
  const key = flag.slice(0, equals).trim();
  const position: Position = { source: `--set ${flag}`, line: 0, column: 0 };
  let value: ConfigNode;
  try {
    value = parseYaml(flag.slice(equals + 1).trim(), position.source);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new ConfigError(`${RESOLVE}${NO_CONF}: ${error.message}`);
  }
  return nest(key.split(key.includes('::') ? '::' : '.'), { node: value, position });
}

/** Runs `step`; its `ConfigError` says that resolving failed. */
async function resolving<T>(step: () => T | Promise<T>, prefix = ''): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(RESOLVE + prefix + error.message, { cause: error });
  }
}
