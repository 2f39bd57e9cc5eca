/**
 * Where configuration text comes from: `file:`, `env:`, `yaml:`, `http:`, `https:`. The sentences are the Collector's.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../component/errors.js';

export const PROVIDER_SCHEMES = ['env', 'file', 'http', 'https', 'yaml'] as const;

const SCHEME = /^([a-zA-Z][a-zA-Z0-9+.-]+):([\s\S]*)$/;
const ENV_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const HTTP_TIMEOUT_MS = 10_000;

/** The world outside, injected for tests. */
export interface ProviderTools {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Receives things that are legal but probably not meant. */
  readonly note: (level: 'warn' | 'info', message: string, fields: Readonly<Record<string, string>>) => void;
}

export interface Retrieved {
  /** The text, or undefined for an unset environment variable without default. */
  readonly text: string | undefined;
  /** Name for positions. */
  readonly source: string;
}

/** Scheme and rest of a URI; a single letter is a drive or a path, not a scheme. */
export function splitScheme(uri: string): { scheme: string | undefined; rest: string } {
  const match = SCHEME.exec(uri);
  return match === null ? { scheme: undefined, rest: uri } : { scheme: match[1], rest: match[2] ?? '' };
}

/** Reads what `uri` names. Throws `ConfigError`; undefined for a scheme that nobody serves. */
export async function retrieve(
  scheme: string,
  rest: string,
  tools: ProviderTools,
): Promise<Retrieved | undefined> {
  switch (scheme) {
    case 'file':
      return { text: await readConfigFile(rest), source: filePath(rest) };
    case 'yaml':
      // `yaml:a::b: 1` is the short form of `a: {b: 1}`, see `expandKeys`.
      return { text: rest, source: `yaml:${rest.split('\n', 1)[0]}` };
    case 'env':
      return { text: readEnvironment(rest, tools), source: `env:${rest}` };
    case 'http':
    case 'https':
      return { text: await fetchText(`${scheme}:${rest}`), source: `${scheme}:${rest}` };
    default:
      return undefined;
  }
}

const filePath = (rest: string): string => (rest.startsWith('//') ? fileURLToPath(`file:${rest}`) : rest);

async function readConfigFile(rest: string): Promise<string> {
  const path = filePath(rest);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: `open ${path}: no such file or directory`,
      EACCES: `open ${path}: permission denied`,
      EISDIR: `read ${path}: is a directory`,
    };
    // Go takes no path for the directory that it is in.
    if (path === '') throw new ConfigError('unable to read the file file:: read .: is a directory');
    const reason = reasons[code ?? ''] ?? (error as Error).message;
    throw new ConfigError(`unable to read the file file:${path}: ${reason}`, { cause: error });
  }
}

function readEnvironment(rest: string, tools: ProviderTools): string | undefined {
  const split = rest.indexOf(':-');
  const name = split < 0 ? rest : rest.slice(0, split);
  if (!ENV_NAME.test(name)) {
    throw new ConfigError(
      `environment variable "${name}" has invalid name: must match regex ${ENV_NAME.source}`,
    );
  }
  const value = tools.env[name];
  if (value !== undefined) {
    if (value === '') tools.note('info', 'Configuration references empty environment variable', { name });
    return value;
  }
  if (split >= 0) return rest.slice(split + 2);
  tools.note('warn', 'Configuration references unset environment variable', { name });
  return undefined;
}

async function fetchText(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) });
    if (response.status !== 200) {
      throw new ConfigError(`failed to load resource from uri "${url}". status code: ${response.status}`);
    }
    return await response.text();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const reason = (error as Error & { cause?: Error }).cause?.message ?? (error as Error).message;
    throw new ConfigError(`unable to download the file via HTTP GET for uri "${url}": ${reason}`, {
      cause: error,
    });
  }
}
