import { type ParseArgsConfig, parseArgs } from 'node:util';
import { parseDuration } from '../config/duration.js';
import { FeatureGates } from '../config/feature-gates.js';
import type { ConfigSources } from '../config/load.js';
import { UsageError } from './command.js';

/** Options of everything that reads a configuration. */
const CONFIG_OPTIONS = {
  config: { type: 'string', multiple: true },
  set: { type: 'string', multiple: true },
  'feature-gates': { type: 'string', multiple: true },
} as const satisfies ParseArgsConfig['options'];

const RUN_OPTIONS = {
  ...CONFIG_OPTIONS,
  'run-seconds': { type: 'string' },
  'shutdown-timeout': { type: 'string' },
} as const satisfies ParseArgsConfig['options'];

/** How many arguments beside options a command takes. */
export type Arity = { readonly exactly: number } | { readonly atMost: number };

export interface RunOptions {
  readonly sources: ConfigSources;
  readonly positionals: readonly string[];
  /** Milliseconds after which to stop with exit code 0. */
  readonly runMs: number | undefined;
  readonly shutdownTimeoutMs: number;
}

const DEFAULT_SHUTDOWN_TIMEOUT_MS = 10_000;

const REPLAY_OPTIONS = {
  ...RUN_OPTIONS,
  json: { type: 'boolean', default: false },
  side: { type: 'string' },
  protocols: { type: 'string', multiple: true },
} as const satisfies ParseArgsConfig['options'];

export interface ReplayOptions extends RunOptions {
  readonly json: boolean;
  readonly side: 'client' | 'server' | undefined;
  readonly protocolModules: readonly string[];
}

/** Options of the commands that run pipelines. Throws `UsageError`. */
export function parseRunOptions(args: readonly string[], positionals: number): RunOptions {
  return runOptions(parsePlainOptions(args, RUN_OPTIONS, { exactly: positionals }));
}

/** Options of `replay`. Throws `UsageError`. */
export function parseReplayOptions(args: readonly string[]): ReplayOptions {
  const parsed = parsePlainOptions(args, REPLAY_OPTIONS, { exactly: 1 });
  const { json, side, protocols } = parsed.values;
  if (side !== undefined && side !== 'client' && side !== 'server') {
    throw new UsageError(
      `invalid argument ${JSON.stringify(side)} for "--side" flag: expected client or server`,
    );
  }
  return { ...runOptions(parsed), json, side, protocolModules: protocols ?? [] };
}

function runOptions(parsed: {
  readonly values: { readonly 'run-seconds'?: string; readonly 'shutdown-timeout'?: string };
  readonly positionals: readonly string[];
}): RunOptions {
  const seconds = parsed.values['run-seconds'];
  if (seconds !== undefined && !(seconds.trim() !== '' && Number(seconds) >= 0)) {
    throw new UsageError(
      `invalid argument ${JSON.stringify(seconds)} for "--run-seconds" flag: expected a number`,
    );
  }
  const timeout = parsed.values['shutdown-timeout'];
  const timeoutMs = timeout === undefined ? DEFAULT_SHUTDOWN_TIMEOUT_MS : parseDuration(timeout);
  if (timeoutMs === undefined || timeoutMs < 0) {
    throw new UsageError(
      `invalid argument ${JSON.stringify(timeout)} for "--shutdown-timeout" flag: expected a duration, for example 10s`,
    );
  }
  return {
    sources: sourcesOf(parsed.values),
    positionals: parsed.positionals,
    runMs: seconds === undefined ? undefined : Number(seconds) * 1000,
    shutdownTimeoutMs: timeoutMs,
  };
}

/** Options of the commands that only look at a configuration, and those in `more`. Throws `UsageError`. */
export function parseConfigOptions<const O extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  more: O,
) {
  const parsed = parsePlainOptions(args, { ...CONFIG_OPTIONS, ...more }, { exactly: 0 });
  const values = parsed.values as Record<string, string | boolean | string[] | undefined>;
  return { sources: sourcesOf(values), values };
}

/** Options and arguments of any command. Throws `UsageError` with the sentences of the Collector's command line. */
export function parsePlainOptions<const O extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: O,
  arity: Arity,
) {
  let parsed: ReturnType<typeof parseArgs<{ options: O; allowPositionals: true; strict: true }>>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(flagProblem(error as NodeJS.ErrnoException));
  }
  const { length } = parsed.positionals;
  if ('exactly' in arity && length !== arity.exactly) {
    throw new UsageError(`accepts ${arity.exactly} arg(s), received ${length}`);
  }
  if ('atMost' in arity && length > arity.atMost) {
    throw new UsageError(`accepts at most ${arity.atMost} arg(s), received ${length}`);
  }
  return parsed;
}

function flagProblem({ code, message }: NodeJS.ErrnoException): string {
  const flag = /'(-[^', ]*)/g.exec(message)?.[1] ?? '';
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    return flag.startsWith('--')
      ? `unknown flag: ${flag}`
      : `unknown shorthand flag: '${flag.slice(1, 2)}' in ${flag}`;
  }
  if (/argument missing|argument is ambiguous/.test(message)) {
    return `flag needs an argument: ${/--[\w-]+/.exec(message)?.[0] ?? flag}`;
  }
  // Node's message has a first sentence that says it all, and advice about `--` that doesn't help here.
  return message.split('. ')[0]!;
}

function sourcesOf(values: Readonly<Record<string, unknown>>): ConfigSources {
  const list = (name: string) => (values[name] as string[] | undefined) ?? [];
  const gates = new FeatureGates();
  for (const flag of list('feature-gates')) {
    const problem = gates.apply(flag);
    if (problem === undefined) continue;
    throw new UsageError(`invalid argument ${JSON.stringify(flag)} for "--feature-gates" flag: ${problem}`);
  }
  return { uris: list('config'), sets: list('set'), gates };
}
