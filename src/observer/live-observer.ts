/**
 * The observer of a live agent: a capture that feeds it, and the timers that it does not have itself. Runs in the
 * observer's thread (`worker.ts`).
 */
import { cpus, machine, release } from 'node:os';
import type { ProtocolRegistry } from '../protocols/registry.js';
import { ABI_HASH } from '../receiver/ebpf/abi.gen.js';
import {
  type Batch,
  Capture,
  clockOffset,
  loadAddon,
  type ProbePlace,
  type SocketRule,
} from '../receiver/ebpf/native.js';
import type { LogFields, Logger, LogLevel } from '../telemetry/logger.js';
import { CostControl } from './cost/cost-control.js';
import { createJoinEngine } from './join-engine.js';
import { Observer } from './observer.js';
import { createPassThroughEngine } from './pass-through-engine.js';
import { RecordingProcessTable, RecordingSymbolizer } from './process/recording.js';
import { ProcfsProcessTable } from './process-table.js';
import { RECORDING_FORMAT, RECORDING_VERSION } from './recording-format.js';
import { RecordingWriter } from './recording-writer.js';
import { SpanBudget } from './span-budget.js';
import { AddonSymbolizer, type NativeSymbolizerModule } from './symbolizer.js';
import { TlsDiscovery } from './tls/tls-discovery.js';
import { TlsProbes } from './tls/tls-probes.js';
import type { MonoNs, ProcessTable, Symbolizer } from './types.js';
import type { FromWorker, ObserverTlsOptions, ObserverWorkerData, ToWorker } from './worker-messages.js';

const ADVANCE_MS = 20;
const KERNEL_STATS_MS = 200;
const SECOND_MS = 1000;
/** How long a stop waits for the records that are in the ring. */
const DRAIN_MS = 1000;
/**
 * How long a stop goes on explaining spans. Under load 50,000 may wait for a process' SDK; the rest leaves without a
 * profile, because a span without one is worth more than a lost one.
 */
const EXPLAIN_MS = 1500;

type Post = (message: FromWorker, transfer?: ArrayBuffer[]) => void;

export class LiveObserver {
  readonly #post: Post;
  readonly #log: Logger;
  readonly #data: ObserverWorkerData;
  readonly #observer: Observer;
  readonly #capture: Capture;
  readonly #tls: TlsDiscovery | undefined;
  readonly #recording: RecordingWriter | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #budget: SpanBudget;
  #socketRules: SocketRule[] = [];
  #cost: CostControl | undefined;
  #spansDropped = 0;
  #pointsDropped = 0;
  #stopping = false;
  #closed = false;

  /** Loads, attaches and runs. Throws UnsupportedError when nothing can run here. */
  constructor(data: ObserverWorkerData, protocols: ProtocolRegistry, post: Post) {
    this.#data = data;
    this.#budget = new SpanBudget(data.maxUnackedBytes, data.budget);
    this.#post = post;
    const log = postingLogger(post, {});
    this.#log = log;
    const { recording } = data;
    const addon = loadAddon();
    let processes: ProcessTable = new ProcfsProcessTable();
    let symbolizer: Symbolizer = hasSymbolizer(addon) ? new AddonSymbolizer(addon) : NAMELESS;
    if (recording !== undefined) {
      const writer = new RecordingWriter(recording, this.#header(), log);
      this.#recording = writer;
      processes = new RecordingProcessTable(processes, (lookup) => writer.lookup(lookup));
      symbolizer = new RecordingSymbolizer(symbolizer, (lookup) => writer.lookup(lookup));
    }
    this.#tls = data.tls && this.#watchTls(data.tls, log);
    this.#observer = new Observer(data.observer, {
      processes,
      symbolizer,
      createEngine: data.profile ? createJoinEngine : createPassThroughEngine,
      output: {
        spans: ({ bytes, itemCount }) => this.#sendSpans(bytes, itemCount),
        metrics: ({ bytes, itemCount }) => this.#sendMetrics(bytes, itemCount),
        answer: (id, edits) => post({ type: 'answer', id, edits }),
      },
      log,
      protocols,
      recording: this.#recording,
      limiter: {
        limit: (cookie, headBytes, tailBytes = 0) => {
          this.#socketRules.push({ cookie, headBytes, tailBytes });
        },
      },
      tls: this.#tls,
      cost: { count: (tgid, topic) => this.#cost?.count(tgid, topic) },
    });
    this.#measureClock();
    this.#capture = Capture.open(data.capture, (batch) => this.#onBatch(batch));
    this.#cost = new CostControl(
      this.#capture,
      data.cost,
      (tgid) => processes.get(tgid)?.serviceName ?? 'unknown_service',
      log,
      { nowNs: now(), agentNs: agentCpuNs() },
    );
    this.#beginTls();
    post({ type: 'started', report: this.#capture.report });
    this.#every(ADVANCE_MS, () => {
      this.#observer.advance(this.#capture.drainedUpTo());
      this.#sendSocketRules();
    });
    this.#every(KERNEL_STATS_MS, () => this.#readKernelStats());
    this.#every(SECOND_MS, () => {
      this.#measureClock();
      this.#cost?.tick(now(), agentCpuNs());
      this.#sendStats();
    });
  }

  #watchTls(options: ObserverTlsOptions, log: Logger): TlsDiscovery {
    // Nothing is attached before the first look, and none is taken before the capture runs.
    const host = {
      addProbe: (place: ProbePlace) => this.#capture.addProbe(place),
      removeProbes: (handles: readonly number[]) => this.#capture.removeProbes(handles),
    };
    return new TlsDiscovery(new TlsProbes(host, options, log));
  }

  #beginTls(): void {
    const discovery = this.#tls;
    const report = this.#capture.report.find(({ topic }) => topic === 'tls');
    if (discovery === undefined || report?.attached !== true) return;
    discovery.begin(this.#data.capture.rules ?? {});
    discovery.work();
    this.#every(ADVANCE_MS, () => discovery.work());
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case 'query':
        this.#observer.query(message.id, message.batch, message.origin);
        break;
      case 'recall':
        this.#post({
          type: 'recalled',
          id: message.id,
          answer: this.#observer.recall(message.question),
        });
        break;
      case 'catch':
        this.#post({ type: 'caught', id: message.id, answer: this.#observer.catch(message.request) });
        break;
      case 'stop':
        void this.#stop();
        break;
    }
  }

  async #stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    // Nothing is written after this moment, so nothing is left once the reader has passed it.
    const last = this.#capture.detach();
    const deadline = now() + DRAIN_MS * 1e6;
    while (this.#capture.drainedUpTo() < last && now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, ADVANCE_MS / 2));
    }
    this.#observer.advance(this.#capture.drainedUpTo());
    this.#readKernelStats();
    this.#closed = true;
    this.#capture.close();
    // A flush may take longer than there is time: then these are the figures of what was lost.
    this.#sendStats();
    const explainUntil = now() + EXPLAIN_MS * 1e6;
    this.#observer.flush(() => now() < explainUntil);
    this.#sendStats();
    await this.#recording?.close();
    this.#post({ type: 'stopped' });
  }

  #onBatch(batch: Batch): void {
    this.#observer.records(batch.bytes, batch.length);
  }

  #sendSpans(bytes: Uint8Array, itemCount: number): void {
    // While it observes it never waits; when it ends there is nothing left to keep up with.
    if (!this.#budget.take(bytes.length, this.#stopping ? DRAIN_MS : 0)) {
      this.#spansDropped += itemCount;
      return;
    }
    this.#post({ type: 'spans', bytes, itemCount }, [bytes.buffer as ArrayBuffer]);
  }

  #sendMetrics(bytes: Uint8Array, itemCount: number): void {
    if (!this.#budget.take(bytes.length, this.#stopping ? DRAIN_MS : 0)) {
      this.#pointsDropped += itemCount;
      return;
    }
    this.#post({ type: 'metrics', bytes, itemCount }, [bytes.buffer as ArrayBuffer]);
  }

  /** In batches: each makes all sockets in use look up their rules. A rule that fails costs payload, nothing else. */
  #sendSocketRules(): void {
    const rules = this.#socketRules;
    if (rules.length === 0) return;
    this.#socketRules = [];
    try {
      this.#capture.addSocketRules(rules);
    } catch (error) {
      this.#log.warn('Payload that nobody needs goes on being copied.', {
        sockets: rules.length,
        reason: (error as Error).message,
      });
    }
  }

  #readKernelStats(): void {
    this.#observer.kernelCounted(now(), this.#capture.stats());
  }

  #measureClock(): void {
    const { hi, lo, errorNs } = clockOffset();
    this.#observer.clockMeasured(now(), { hi, lo }, errorNs);
  }

  #sendStats(): void {
    if (!this.#closed) this.#readKernelStats();
    this.#post({
      type: 'stats',
      stats: {
        observer: { ...this.#observer.stats(), ...this.#tls?.stats() },
        kernel: this.#observer.kernelStats?.slice() ?? new Float64Array(),
        spansDropped: this.#spansDropped,
        pointsDropped: this.#pointsDropped,
        cost: this.#cost?.report(),
      },
    });
  }

  #every(ms: number, work: () => void): void {
    this.#timers.push(setInterval(work, ms));
  }

  #header() {
    return {
      format: RECORDING_FORMAT,
      version: RECORDING_VERSION,
      abiHash: ABI_HASH,
      agentVersion: this.#data.agentVersion,
      idSeed: this.#data.observer.idSeed,
      kernelRelease: release().match(/^[\d.]+/)?.[0] ?? '', // builds name machines
      machine: machine(),
      cpus: cpus().length,
      hostName: 'localhost',
    } as const;
  }
}

/** Used when the addon was built without a symbolizer. */
const NAMELESS: Symbolizer = {
  user: (_, addresses) => addresses.map(() => '[unknown]'),
  kernel: (addresses) => addresses.map(() => '[kernel]'),
};

const hasSymbolizer = (addon: object): addon is NativeSymbolizerModule => 'Symbolizer' in addon;

/** CLOCK_MONOTONIC: Node's high-resolution time is that clock on Linux. */
const now = (): MonoNs => Number(process.hrtime.bigint());

/** CPU time of all threads of this process. */
function agentCpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

function postingLogger(post: Post, base: LogFields): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) =>
    post({ type: 'log', level, message, fields: { ...base, ...fields } });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => postingLogger(post, { ...base, ...fields }),
  };
}
