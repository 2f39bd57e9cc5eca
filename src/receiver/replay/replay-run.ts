/**
 * One pass over a recording: the frames drive the same `Observer` as the kernel does, and nothing else does. Time comes
 * from the frames; what the observer hands out is delivered before the next frame is read. So two passes over one file
 * hand out the same bytes in the same order.
 *
 * Answers of the operating system stand in the file behind the frame whose handling asked for them, so a frame is
 * handled when the frame after its answers has been read.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Origin } from '../../component/signal.js';
import type { MetricBatch } from '../../metrics/aggregator.js';
import type { SpanEdit } from '../../observer/join-types.js';
import { Observer, type ObserverOptions, type ObserverParts } from '../../observer/observer.js';
import { RecordedProcessTable, RecordedSymbolizer } from '../../observer/process/recorded.js';
import type { RecordingFrame } from '../../observer/recording-format.js';
import type { SpanBatch } from '../../observer/span-builder.js';
import type { ObserverStats } from '../../observer/worker-messages.js';

export interface ReplayOutput {
  /** Resolves when the batch was taken or given up. */
  spans(batch: SpanBatch): Promise<void>;
  /** As `spans`; wanted where the options say what to measure. */
  metrics?(batch: MetricBatch): Promise<void>;
  /** A batch of an SDK, as it was recorded. Resolves when the pipelines are done with it. */
  otlp(batch: Uint8Array, origin: Origin): Promise<void>;
}

/** A pipeline that asks about one batch at a time would otherwise wait for us, and we for it. */
const LONGEST_WAIT_MS = 1000;

type Pending =
  | { readonly batch: SpanBatch }
  | { readonly points: MetricBatch }
  | { readonly id: number; readonly edits: readonly SpanEdit[] };

export class ReplayRun {
  readonly #observer: Observer;
  readonly #output: ReplayOutput;
  readonly #processes = new RecordedProcessTable();
  readonly #symbolizer = new RecordedSymbolizer();
  readonly #pending: Pending[] = [];
  readonly #questions = new Map<number, (edits: readonly SpanEdit[]) => void>();
  readonly #open = new Set<Promise<void>>();
  #nextQuestion = 1;
  /** Resolves the wait for a question about the batch that was handed to the pipelines last. */
  #asked: (() => void) | undefined;
  #ended = false;

  constructor(
    options: ObserverOptions,
    parts: Pick<ObserverParts, 'createEngine' | 'log' | 'protocols'>,
    output: ReplayOutput,
  ) {
    this.#output = output;
    this.#observer = new Observer(options, {
      ...parts,
      processes: this.#processes,
      symbolizer: this.#symbolizer,
      output: {
        spans: (batch) => this.#pending.push({ batch }),
        metrics: (points) => this.#pending.push({ points }),
        answer: (id, edits) => this.#pending.push({ id, edits }),
      },
    });
  }

  /** Plays `frames` (without the header) to their end or until `signal` aborts, then flushes. */
  async play(
    frames: AsyncIterable<RecordingFrame>,
    pace: 'fast' | 'recorded',
    signal: AbortSignal,
  ): Promise<void> {
    let waiting: RecordingFrame | undefined;
    let lastWatermark = 0;
    for await (const frame of frames) {
      if (signal.aborted) break;
      if (frame.kind === 'lookup') {
        this.#processes.add(frame.lookup);
        this.#symbolizer.add(frame.lookup);
        continue;
      }
      if (waiting !== undefined) await this.#handle(waiting);
      waiting = frame;
      if (pace === 'recorded' && frame.kind === 'advance') {
        const pauseMs = lastWatermark === 0 ? 0 : (frame.watermark - lastWatermark) / 1e6;
        lastWatermark = frame.watermark;
        if (pauseMs >= 1) await sleep(pauseMs, undefined, { signal }).catch(() => {});
      }
    }
    if (waiting !== undefined && !signal.aborted) await this.#handle(waiting);
    this.#observer.flush();
    await this.#deliver();
    this.#ended = true;
    for (const answer of this.#questions.values()) answer([]);
    await Promise.all(this.#open);
  }

  join(batch: Uint8Array, origin: Origin): Promise<readonly SpanEdit[]> {
    if (this.#ended) return Promise.resolve([]);
    const id = this.#nextQuestion++;
    const answer = new Promise<readonly SpanEdit[]>((resolve) => this.#questions.set(id, resolve));
    this.#observer.query(id, batch, origin);
    this.#asked?.();
    return answer;
  }

  stats(): ObserverStats {
    return {
      observer: this.#observer.stats(),
      kernel: this.#observer.kernelStats ?? new Float64Array(),
      spansDropped: 0,
    };
  }

  async #handle(frame: RecordingFrame): Promise<void> {
    switch (frame.kind) {
      case 'records':
        this.#observer.records(frame.bytes, frame.bytes.length);
        break;
      case 'advance':
        this.#observer.advance(frame.watermark);
        break;
      case 'clock':
        this.#observer.clockMeasured(frame.now, frame.offset, frame.errorNs);
        break;
      case 'kernel_stats':
        this.#observer.kernelCounted(frame.now, frame.stats);
        break;
      case 'query':
        await this.#feed(frame.batch, frame.origin);
        break;
      default:
        break;
    }
    await this.#deliver();
  }

  /** Hands a batch to the pipelines and waits until they ask about it, or are done with it unasked. */
  async #feed(batch: Uint8Array, origin: Origin): Promise<void> {
    const asked = new Promise<void>((resolve) => {
      this.#asked = resolve;
    });
    const done = this.#output.otlp(batch, origin).finally(() => this.#open.delete(done));
    this.#open.add(done);
    await Promise.race([asked, done, sleep(LONGEST_WAIT_MS, undefined, { ref: false })]);
    this.#asked = undefined;
  }

  async #deliver(): Promise<void> {
    while (this.#pending.length > 0) {
      const next = this.#pending.shift()!;
      if ('batch' in next) await this.#output.spans(next.batch);
      else if ('points' in next) await this.#output.metrics?.(next.points);
      else {
        this.#questions.get(next.id)?.(next.edits);
        this.#questions.delete(next.id);
        // Let the batch go its way before the next one does.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}
