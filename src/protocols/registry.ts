/**
 * The protocols of this build and those that users add: a module path in the configuration whose default export, or
 * export named `protocol`, is a `Protocol`.
 */
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../component/errors.js';
import { PROTOCOLS } from './list.js';
import type { AnyProtocol, Transport } from './protocol.js';

const NAME = /^[a-z][a-z0-9_]*$/;

export class ProtocolRegistry {
  readonly #byName = new Map<string, AnyProtocol>();
  readonly #byTransport: Readonly<Record<Transport, readonly AnyProtocol[]>>;

  constructor(protocols: readonly AnyProtocol[] = PROTOCOLS) {
    for (const protocol of protocols) this.#byName.set(protocol.name, protocol);
    const all = [...this.#byName.values()];
    const of = (transport: Transport) => all.filter((protocol) => protocol.transports.includes(transport));
    this.#byTransport = { tcp: of('tcp'), udp: of('udp'), unix: of('unix') };
  }

  get(name: string): AnyProtocol | undefined {
    return this.#byName.get(name);
  }

  /** Those that run over `transport`, in the order of the list. */
  of(transport: Transport): readonly AnyProtocol[] {
    return this.#byTransport[transport];
  }

  get all(): readonly AnyProtocol[] {
    return [...this.#byName.values()];
  }
}

/**
 * The list and the protocols in `modules` (paths, relative ones from `directory`); one with a name of the list takes its
 * place. Throws ConfigError for a module that cannot be loaded or is no protocol.
 */
export async function loadProtocols(
  modules: readonly string[],
  disabled: readonly string[] = [],
  directory: string = process.cwd(),
): Promise<ProtocolRegistry> {
  const added: AnyProtocol[] = [];
  for (const path of modules) {
    const file = isAbsolute(path) ? path : resolve(directory, path);
    let exported: Record<string, unknown>;
    try {
      exported = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new ConfigError(`The protocol module ${path} cannot be loaded: ${text}`);
    }
    const candidate = exported['default'] ?? exported['protocol'];
    const problem = protocolProblem(candidate);
    if (problem !== undefined)
      throw new ConfigError(`The protocol module ${path} is no protocol: ${problem}`);
    added.push(candidate as AnyProtocol);
  }
  const names = new Set([...PROTOCOLS, ...added].map(({ name }) => name));
  for (const name of disabled) {
    if (!names.has(name)) {
      throw new ConfigError(`There is no protocol "${name}"; one of: ${[...names].sort().join(', ')}`);
    }
  }
  return new ProtocolRegistry([...PROTOCOLS, ...added].filter(({ name }) => !disabled.includes(name)));
}

/** What keeps `value` from being a `Protocol`, undefined when nothing does. */
export function protocolProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'it exports no object as default or `protocol`';
  const protocol = value as Partial<Record<keyof AnyProtocol, unknown>>;
  if (typeof protocol.name !== 'string' || !NAME.test(protocol.name)) {
    return '`name` must be lower_snake_case';
  }
  if (typeof protocol.title !== 'string') return '`title` must be a string';
  for (const key of ['recognise', 'createParser', 'describe'] as const) {
    if (typeof protocol[key] !== 'function') return `\`${key}\` must be a function`;
  }
  const transports: unknown = protocol.transports;
  if (!Array.isArray(transports) || transports.length === 0) return '`transports` must be a list';
  for (const transport of transports as unknown[]) {
    if (transport !== 'tcp' && transport !== 'udp' && transport !== 'unix') {
      return `\`transports\` may hold tcp, udp and unix, not ${JSON.stringify(transport)}`;
    }
  }
  const ports: unknown = protocol.ports;
  if (!Array.isArray(ports) || !ports.every(Number.isInteger)) return '`ports` must be a list of numbers';
  return undefined;
}
