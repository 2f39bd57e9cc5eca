import { Session } from 'node:inspector/promises';
import { gzipSync } from 'node:zlib';
import type { Extension, Host, Settings } from '../../component/component.js';
import type { OpenListener } from '../../transport/listen.js';
import { NOT_FOUND, type Page, servePages } from '../../transport/page-server.js';
import type { PprofConfig } from './config.js';
import { cpuProfileToPprof, heapProfileToPprof } from './v8-profiles.js';

const CPU_INTERVAL_US = 10_000;
/** As Go's default: one sample for each half MiB that is allocated, which costs next to nothing. */
const HEAP_INTERVAL_BYTES = 512 * 1024;
const DEFAULT_SECONDS = 30;
const MAX_SECONDS = 600;

const INDEX = `/debug/pprof/

profile   CPU of the main thread, ?seconds=30
heap      live objects of the main thread's heap, by where they were allocated since the start
cmdline   the command line
`;

/** `go tool pprof http://localhost:1777/debug/pprof/profile`, for this Node.js process. */
export class Pprof implements Extension {
  readonly #settings: Settings;
  readonly #config: PprofConfig;
  #session: Session | undefined;
  #listener: OpenListener | undefined;
  #isProfiling = false;

  constructor(settings: Settings, config: PprofConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  get address(): OpenListener['address'] {
    return this.#listener?.address ?? null;
  }

  /** Rejects when the address can't be bound. Heap sampling runs from now on. */
  async start(_host: Host): Promise<void> {
    this.#listener = await servePages(this.#config.endpoint, (url, gone) => this.#page(url, gone));
    const session = new Session();
    session.connect();
    this.#session = session;
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: CPU_INTERVAL_US });
    await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_INTERVAL_BYTES });
    this.#settings.logger.info('Starting net/http/pprof server', { endpoint: this.#config.endpoint });
  }

  async shutdown(): Promise<void> {
    await this.#listener?.close();
    this.#session?.disconnect();
    this.#session = undefined;
  }

  #page({ pathname, searchParams }: URL, gone: AbortSignal): Page | Promise<Page> {
    switch (pathname) {
      case '/debug/pprof/':
        return { type: 'text/plain; charset=utf-8', body: INDEX };
      case '/debug/pprof/cmdline':
        return { type: 'text/plain; charset=utf-8', body: process.argv.join('\0') };
      case '/debug/pprof/profile':
        return this.#cpu(searchParams.get('seconds'), gone);
      case '/debug/pprof/heap':
        return this.#heap();
      default:
        return NOT_FOUND;
    }
  }

  async #cpu(wanted: string | null, gone: AbortSignal): Promise<Page> {
    const seconds = Number(wanted ?? DEFAULT_SECONDS);
    if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
      return {
        status: 400,
        type: 'text/plain; charset=utf-8',
        body: `seconds must be above 0 and at most ${MAX_SECONDS}\n`,
      };
    }
    const session = this.#session;
    if (session === undefined) throw new Error('the agent is about to stop');
    if (this.#isProfiling) throw new Error('Could not enable CPU profiling: cpu profiling already in use');
    this.#isProfiling = true;
    try {
      const startMs = this.#settings.now();
      await session.post('Profiler.start');
      await waitFor(seconds * 1000, gone);
      const { profile } = await session.post('Profiler.stop');
      return download('profile', cpuProfileToPprof(profile, startMs, CPU_INTERVAL_US));
    } finally {
      this.#isProfiling = false;
    }
  }

  async #heap(): Promise<Page> {
    const session = this.#session;
    if (session === undefined) throw new Error('the agent is about to stop');
    const { profile } = await session.post('HeapProfiler.getSamplingProfile');
    return download('heap', heapProfileToPprof(profile, this.#settings.now(), HEAP_INTERVAL_BYTES));
  }
}

const download = (name: string, bytes: Uint8Array): Page => ({
  type: 'application/octet-stream',
  body: gzipSync(bytes),
  headers: { 'content-disposition': `attachment; filename="${name}"` },
});

/** Ends early when the client goes away. */
const waitFor = (ms: number, gone: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      gone.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    gone.addEventListener('abort', done, { once: true });
  });
