/**
 * Names for addresses: the addon's symbolizer (native/src/core/symbolizer.h), and readable names for the code of
 * managed runtimes, which comes with names made for profilers.
 */
import type { Symbolizer } from './types.js';

/** The class that the addon exports. Every call is synchronous; an instance belongs to the thread that made it. */
export interface NativeSymbolizer {
  /** Innermost first; one name for each address. */
  user(pid: number, addresses: BigUint64Array): string[];
  kernel(addresses: BigUint64Array): string[];
  /** `ended`: exited, kept for a minute. Else: has replaced its image, forgotten. */
  forget(pid: number, ended: boolean): void;
  stats(): SymbolizerStats;
}

/** What the symbolizer holds and what it could not do. */
export interface SymbolizerStats {
  /** Files whose symbols are in memory, and their bytes. */
  readonly files: number;
  readonly fileBytes: number;
  readonly fileLoads: number;
  readonly fileEvictions: number;
  readonly processes: number;
  readonly perfMaps: number;
  readonly perfMapBytes: number;
  readonly perfMapMalformedLines: number;
  /** Entries of perf maps beyond the limits. */
  readonly perfMapDroppedEntries: number;
  /** Perf maps that belong to another user than the process. */
  readonly perfMapsRefused: number;
  readonly kernelSymbols: number;
  readonly kernelBytes: number;
  /** Addresses without a name. */
  readonly unknown: number;
}

export interface NativeSymbolizerOptions {
  /** Files whose symbols are kept. Default 256. */
  readonly maxFiles?: number;
  /** Bytes of symbols kept. Default 256 MiB. */
  readonly maxFileBytes?: number;
  /** Default 1024. */
  readonly maxProcesses?: number;
  /** Bytes of all perf maps together. Default 128 MiB. */
  readonly maxPerfMapBytes?: number;
}

/** The part of the addon that this file needs. */
export interface NativeSymbolizerModule {
  readonly Symbolizer: new (options?: NativeSymbolizerOptions) => NativeSymbolizer;
}

/** Symbolizes with the addon. */
export class AddonSymbolizer implements Symbolizer {
  readonly #native: NativeSymbolizer;

  constructor(addon: NativeSymbolizerModule, options: NativeSymbolizerOptions = {}) {
    this.#native = new addon.Symbolizer(options);
  }

  user(tgid: number, addresses: readonly bigint[]): string[] {
    if (addresses.length === 0) return [];
    return this.#native.user(tgid, BigUint64Array.from(addresses)).map(readableFrame);
  }

  kernel(addresses: readonly bigint[]): string[] {
    if (addresses.length === 0) return [];
    return this.#native.kernel(BigUint64Array.from(addresses));
  }

  invalidate(tgid: number, ended: boolean): void {
    this.#native.forget(tgid, ended);
  }

  stats(): SymbolizerStats {
    return this.#native.stats();
  }
}

/** V8's kinds of JavaScript code in a perf map (V8, src/logging/log.cc and code-events.h), then the tier marker. */
const V8_FUNCTION = /^(?:JS|LazyCompile|Function|Eval|Script):(?:[~^+*]'?)?/;
/** Where a source position begins; names may hold spaces ("get size"), paths too. */
const V8_SOURCE = / (?=file:\/\/|\/|node:|https?:|webpack|\[eval|evalmachine|[A-Za-z]:\\)/;
/** CPython's perf trampoline (Python, Objects/perf_trampoline.c): `py::function:/path/file.py`. */
const PYTHON = /^py::(.*):([^:]*)$/;

/**
 * A frame as a person names it. V8: `JS:*handler file:///srv/a.js:12:3` is `handler a.js:12`, whatever tier compiled
 * it; functions without a name are `(anonymous)`. CPython: `py::handler:/srv/a.py` is `handler a.py`. `Builtin:…` and
 * `BytecodeHandler:…` of V8 keep their prefix, so that a reader can fold them. Everything else stays as it is.
 */
export function readableFrame(name: string): string {
  const prefix = V8_FUNCTION.exec(name);
  if (prefix) return readableV8(name.slice(prefix[0].length));
  const python = PYTHON.exec(name);
  if (python) return `${python[1]} ${fileName(python[2] ?? '')}`;
  return name;
}

function readableV8(text: string): string {
  const position = /:(\d+):\d+$/.exec(text);
  if (!position) return text.trim() || '(anonymous)';
  const named = text.slice(0, position.index);
  // Anonymous functions leave the space in front of the path.
  let space = named.search(V8_SOURCE);
  if (space < 0) space = named.indexOf(' ');
  const functionName = space < 0 ? '' : named.slice(0, space);
  const source = space < 0 ? named : named.slice(space + 1);
  return `${functionName || '(anonymous)'} ${fileName(source)}:${position[1]}`;
}

/** `node:internal/timers` stays: its folder says that it belongs to Node. */
function fileName(path: string): string {
  return path.startsWith('node:') ? path : path.slice(path.lastIndexOf('/') + 1);
}
