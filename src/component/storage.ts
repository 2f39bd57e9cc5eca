/**
 * What storage extensions (`file_storage`) give to exporters that name them in `sending_queue.storage`. An extension
 * publishes itself under its id when it starts, and extensions start first and stop last.
 */
import type { Host, ServiceKey } from './component.js';
import type { Batch, Signal } from './signal.js';

/** Whose queue it is. Each client has its own, and finds it again after a restart. */
export interface QueueClient {
  readonly kind: 'exporter' | 'processor';
  /** Component id. */
  readonly id: string;
  readonly signal: Signal;
}

/** An amount of telemetry in a queue. */
export interface QueueTally {
  readonly records: number;
  readonly items: number;
  /** Of the encoded batches, without what the queue writes around them. */
  readonly bytes: number;
}

/** Told of what happens in a queue beside the calls. */
export interface QueueObserver {
  /** Records that were in the queue turned out to be unreadable; they count neither as taken nor as waiting any more. */
  lost(tally: QueueTally, why: string): void;
  /** A group of records was made durable. `milliseconds` is the time that it took. */
  committed?(tally: QueueTally, milliseconds: number): void;
}

/** What a queue held when it was opened. */
export interface QueueRecovery {
  /** Whole records that have not been delivered; `take` gives them first, in the order of their arrival. */
  readonly waiting: QueueTally;
  /** Damage that was found, for the log and the accounts. `items` as far as they are known. */
  readonly lost: { readonly items: number; readonly regions: number; readonly bytes: number };
  /** Ends of files that were written when the process died. Nobody had been told that they are kept. */
  readonly torn: { readonly tails: number; readonly bytes: number };
  /** Notes of deliveries that were unreadable: as many records at most are delivered a second time. */
  readonly damagedNotes: number;
  /** Files that could not be read at all, and why. They stay where they are. */
  readonly unreadable: readonly string[];
}

/** A batch that was taken out of a queue and stays in it until `done`. */
export interface StoredBatch {
  readonly batch: Batch;
}

/** A queue that survives the process. */
export interface DurableQueue {
  readonly recovery: QueueRecovery;
  /** Resolves when the batch is kept. Rejects with `RetryableError` when it can't be (a full disk, for example). */
  append(batch: Batch): Promise<void>;
  /** The oldest batch that was not taken yet, or undefined when there is none now. One call at a time. */
  take(): Promise<StoredBatch | undefined>;
  /** The batch needs no delivery any more. What was taken and is not done is given out again after a restart. */
  done(stored: StoredBatch): void;
  /** Waits for what is being written, and lets another process have the queue. Twice is harmless. */
  close(): Promise<void>;
}

export interface QueueStorage {
  /** Rejects when the queue is in use by another process or was written by a newer program. */
  openQueue(client: QueueClient, observer: QueueObserver): Promise<DurableQueue>;
}

export const queueStorageKey = (id: string): ServiceKey<QueueStorage> => ({ name: `queue storage ${id}` });

/** Throws the Collector's sentence when `id` names no running storage extension. */
export function queueStorage(host: Host, id: string): QueueStorage {
  const found = host.service(queueStorageKey(id));
  if (found === undefined) throw new Error('no storage client extension found');
  return found;
}
