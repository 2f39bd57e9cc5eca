/**
 * The main thread's side of the observer: starts its thread, hands its spans on, asks its join.
 */
import type { Worker } from 'node:worker_threads';
import { UnsupportedError } from '../component/errors.js';
import type { Origin } from '../component/signal.js';
import { YoungCollection } from '../memory/young-collection.js';
import type { MetricBatch } from '../metrics/aggregator.js';
import type { TopicReport } from '../receiver/ebpf/native.js';
import type { Logger } from '../telemetry/logger.js';
import type { SpanEdit } from './join-types.js';
import type { ObserverService } from './observer-service.js';
import type { RecallAnswer, RecallQuestion } from './recall-types.js';
import { SpanBudget } from './span-budget.js';
import type { SpanBatch } from './span-builder.js';
import type { CatchAnswer, CatchRequest } from './triggers/trigger-types.js';
import type { FromWorker, ObserverStats, ObserverWorkerData, ToWorker } from './worker-messages.js';
import { startWorker } from './worker-start.js';

export interface ObserverClientOutput {
  /** Resolves when the batch was taken or given up: only then may the observer send more than its budget. */
  spans(batch: SpanBatch): Promise<void>;
  /** As `spans`; one after the other. Absent: nobody asked for metrics. */
  metrics?(batch: MetricBatch): Promise<void>;
  stats(stats: ObserverStats): void;
  /** The thread ended by itself; every pending question is answered with nothing. */
  died(error: Error): void;
}

/** Bytes of batches that may be under way to the join; above it the answer is "nothing", at once. */
const MAX_QUERY_BYTES = 64 * 1024 * 1024;

interface PendingQuery {
  readonly bytes: number;
  resolve(edits: readonly SpanEdit[]): void;
}

interface PendingQuestion<A> {
  resolve(answer: A): void;
  reject(error: Error): void;
}

const ENDING = 'The observer is ending.';

export class ObserverClient implements ObserverService {
  /** Batches that were not joined because too many were under way. */
  busy = 0;
  /** The thread ended in order: everything it held was handed out. */
  completed = false;
  readonly #data: Omit<ObserverWorkerData, 'budget'>;
  readonly #budget: SpanBudget;
  readonly #output: ObserverClientOutput;
  readonly #log: Logger;
  readonly #pending = new Map<number, PendingQuery>();
  readonly #recalls = new Map<number, PendingQuestion<RecallAnswer>>();
  readonly #catches = new Map<number, PendingQuestion<CatchAnswer>>();
  #worker: Worker | undefined;
  readonly #young = new YoungCollection();
  #nextQuery = 1;
  #queryBytes = 0;
  /** Settles when every batch so far has been handed on: batches go one after another. */
  #spans: Promise<void> = Promise.resolve();
  /** The same; neither waits for the other. */
  #metrics: Promise<void> = Promise.resolve();
  #stopped: (() => void) | undefined;
  #stopping = false;

  constructor(data: Omit<ObserverWorkerData, 'budget'>, output: ObserverClientOutput, log: Logger) {
    this.#data = data;
    this.#budget = new SpanBudget(data.maxUnackedBytes);
    this.#output = output;
    this.#log = log;
  }

  /** Starts the thread. Rejects with UnsupportedError when nothing can run on this machine. */
  async start(): Promise<readonly TopicReport[]> {
    const worker = startWorker({ ...this.#data, budget: this.#budget.memory });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      // The thread ends then too, which is no news.
      const refuse = (reason: Error): void => {
        this.#stopping = true;
        reject(reason);
      };
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'started') resolve(message.report);
        else if (message.type === 'unsupported') refuse(new UnsupportedError(message.message));
        else if (message.type === 'failed') refuse(new Error(message.message));
        else this.#receive(message);
      });
      worker.on('error', (error) => {
        reject(error);
        this.#ended(error);
      });
      worker.on('exit', (code) => this.#ended(new Error(`The observer's thread ended with code ${code}.`)));
    });
  }

  join(batch: Uint8Array, origin: Origin): Promise<readonly SpanEdit[]> {
    if (this.#worker === undefined || this.#stopping) return Promise.resolve([]);
    if (this.#queryBytes + batch.length > MAX_QUERY_BYTES) {
      this.busy++;
      return Promise.resolve([]);
    }
    const id = this.#nextQuery++;
    this.#queryBytes += batch.length;
    const copy = new Uint8Array(batch); // not slice(): a Buffer's shares the memory, which is about to be transferred
    this.#send({ type: 'query', id, batch: copy, origin }, [copy.buffer]);
    return new Promise((resolve) => this.#pending.set(id, { bytes: batch.length, resolve }));
  }

  recall(question: RecallQuestion): Promise<RecallAnswer> {
    return this.#question(this.#recalls, (id) => ({ type: 'recall', id, question }));
  }

  catch(request: CatchRequest): Promise<CatchAnswer> {
    return this.#question(this.#catches, (id) => ({ type: 'catch', id, request }));
  }

  #question<A>(pending: Map<number, PendingQuestion<A>>, message: (id: number) => ToWorker): Promise<A> {
    if (this.#worker === undefined || this.#stopping) return Promise.reject(new Error(ENDING));
    const id = this.#nextQuery++;
    this.#send(message(id));
    return new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
  }

  /** Detaches everything, hands out what is held, ends the thread; at the deadline without waiting. Idempotent. */
  async stop(deadline: AbortSignal): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    if (!this.#stopping) {
      this.#stopping = true;
      this.#send({ type: 'stop' });
    }
    await new Promise<void>((resolve) => {
      this.#stopped = resolve;
      if (deadline.aborted) resolve();
      deadline.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#worker = undefined;
    await worker.terminate();
    await Promise.race([Promise.all([this.#spans, this.#metrics]), aborted(deadline)]);
    this.#answerAll();
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'spans': {
        const { bytes, itemCount } = message;
        this.#young.made(bytes.length);
        this.#spans = this.#handOn(this.#spans, bytes.length, () => this.#output.spans({ bytes, itemCount }));
        break;
      }
      case 'metrics': {
        const { bytes, itemCount } = message;
        this.#metrics = this.#handOn(
          this.#metrics,
          bytes.length,
          async () => await this.#output.metrics?.({ bytes, itemCount }),
        );
        break;
      }
      case 'answer': {
        const query = this.#pending.get(message.id);
        if (query === undefined) break;
        this.#pending.delete(message.id);
        this.#queryBytes -= query.bytes;
        query.resolve(message.edits);
        break;
      }
      case 'recalled':
        this.#recalls.get(message.id)?.resolve(message.answer);
        this.#recalls.delete(message.id);
        break;
      case 'caught':
        this.#catches.get(message.id)?.resolve(message.answer);
        this.#catches.delete(message.id);
        break;
      case 'stats':
        this.#output.stats(message.stats);
        break;
      case 'log':
        this.#log[message.level](message.message, message.fields);
        break;
      case 'stopped':
        this.completed = true;
        this.#stopped?.();
        break;
      default:
        break;
    }
  }

  #handOn(before: Promise<void>, length: number, deliver: () => Promise<void>): Promise<void> {
    return before
      .then(deliver)
      .catch((error: unknown) => this.#log.error('A batch failed.', { error: String(error) }))
      .then(() => this.#budget.release(length));
  }

  #send(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  #ended(error: Error): void {
    this.#stopped?.();
    if (this.#worker === undefined || this.#stopping) return;
    this.#worker = undefined;
    this.#answerAll();
    this.#output.died(error);
  }

  #answerAll(): void {
    for (const { resolve } of this.#pending.values()) resolve([]);
    this.#pending.clear();
    for (const { reject } of this.#recalls.values()) reject(new Error(ENDING));
    this.#recalls.clear();
    for (const { reject } of this.#catches.values()) reject(new Error(ENDING));
    this.#catches.clear();
    this.#queryBytes = 0;
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
