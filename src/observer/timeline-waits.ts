/**
 * Wait records as columns: one slot of about 90 bytes for each, and a smaller ring for what only some of them have
 * (socket or file). Equal sockets and files share an entry while it is fresh.
 */
import { type Chain, type RecordNumber, RING_SLOT_BYTES, TimelineRing } from './timeline-ring.js';
import type { TimelineThread } from './timeline-threads.js';
import type { WaitRecord } from './types.js';

type Target = NonNullable<WaitRecord['socket']> | NonNullable<WaitRecord['file']>;

const SLOT_BYTES = RING_SLOT_BYTES + 3 * 8 + 3 * 8 + 4 * 4 + 2 * 4 + 3;
/** One entry for eight records, estimated with its object, strings and place in the index. */
const RECORDS_PER_TARGET = 8;
const TARGET_BYTES = 512;

const FLAG_PREEMPTED = 1;
const FLAG_IOWAIT = 2;
const FLAG_END = 4;

export class TimelineWaits {
  readonly ring: TimelineRing;
  readonly off: Float64Array;
  readonly wake: Float64Array;
  readonly onBefore: Float64Array;
  readonly #args: Float64Array;
  readonly #syscall: Int32Array;
  readonly #wakerSyscall: Int32Array;
  readonly #wakerTgid: Uint32Array;
  readonly #wakerTid: Uint32Array;
  /** Number of the entry in `targets` + 1; 0 none. */
  readonly #target: Float64Array;
  readonly #state: Uint16Array;
  readonly #fdKind: Uint8Array;
  readonly #flags: Uint8Array;
  readonly #targets: Target[] = [];
  readonly #targetKeys: string[] = [];
  readonly #targetIndex = new Map<string, number>();
  readonly #targetCapacity: number;
  #targetsWritten = 0;

  constructor(budgetBytes: number) {
    const capacity = Math.max(
      16,
      Math.floor(budgetBytes / (SLOT_BYTES + 8 + TARGET_BYTES / RECORDS_PER_TARGET)),
    );
    this.ring = new TimelineRing(capacity);
    this.off = new Float64Array(capacity);
    this.wake = new Float64Array(capacity);
    this.onBefore = new Float64Array(capacity);
    this.#args = new Float64Array(3 * capacity);
    this.#syscall = new Int32Array(capacity);
    this.#wakerSyscall = new Int32Array(capacity);
    this.#wakerTgid = new Uint32Array(capacity);
    this.#wakerTid = new Uint32Array(capacity);
    this.#target = new Float64Array(capacity);
    this.#state = new Uint16Array(capacity);
    this.#fdKind = new Uint8Array(capacity);
    this.#flags = new Uint8Array(capacity);
    this.#targetCapacity = Math.max(16, Math.floor(capacity / RECORDS_PER_TARGET));
  }

  push(chain: Chain, wait: WaitRecord): void {
    const slot = this.ring.slot(this.ring.push(chain, wait.on));
    this.off[slot] = wait.off;
    this.wake[slot] = wait.wake;
    this.onBefore[slot] = wait.onBefore;
    this.#args.set(wait.args, 3 * slot);
    this.#syscall[slot] = wait.syscall;
    this.#wakerSyscall[slot] = wait.wakerSyscall;
    this.#wakerTgid[slot] = wait.wakerTgid;
    this.#wakerTid[slot] = wait.wakerTid;
    this.#target[slot] = this.#intern(wait);
    this.#state[slot] = wait.state;
    this.#fdKind[slot] = wait.fdKind;
    this.#flags[slot] = (wait.preempted ? FLAG_PREEMPTED : 0) | (wait.iowait ? FLAG_IOWAIT : 0);
  }

  /** The thread's end, as a record without length. */
  pushEnd(chain: Chain, time: number, onBefore: number): void {
    const slot = this.ring.slot(this.ring.push(chain, time));
    this.off[slot] = time;
    this.wake[slot] = 0;
    this.onBefore[slot] = onBefore;
    this.#target[slot] = 0;
    this.#flags[slot] = FLAG_END;
  }

  isEnd(record: RecordNumber): boolean {
    return (this.#flags[this.ring.slot(record)]! & FLAG_END) !== 0;
  }

  /** A live record, read back. */
  read(thread: TimelineThread, record: RecordNumber): WaitRecord {
    const slot = this.ring.slot(record);
    const flags = this.#flags[slot]!;
    const target = this.#readTarget(this.#target[slot]!);
    return {
      tgid: thread.tgid,
      tid: thread.tid,
      off: this.off[slot]!,
      wake: this.wake[slot]!,
      on: this.ring.time[slot]!,
      onBefore: this.onBefore[slot]!,
      open: false,
      preempted: (flags & FLAG_PREEMPTED) !== 0,
      syscall: this.#syscall[slot]!,
      args: [this.#args[3 * slot]!, this.#args[3 * slot + 1]!, this.#args[3 * slot + 2]!],
      state: this.#state[slot]!,
      iowait: (flags & FLAG_IOWAIT) !== 0,
      fdKind: this.#fdKind[slot]!,
      wakerTgid: this.#wakerTgid[slot]!,
      wakerTid: this.#wakerTid[slot]!,
      wakerSyscall: this.#wakerSyscall[slot]!,
      socket: target !== undefined && 'tuple' in target ? target : undefined,
      file: target !== undefined && 'inode' in target ? target : undefined,
    };
  }

  /** Gives the entry's number + 1. An entry is used again only in the younger half of its life. */
  #intern(wait: WaitRecord): number {
    const target = wait.socket ?? wait.file;
    if (target === undefined) return 0;
    const key = keyOf(target);
    const known = this.#targetIndex.get(key);
    if (known !== undefined && known >= this.#targetsWritten - (this.#targetCapacity >> 1)) return known + 1;
    const number = this.#targetsWritten++;
    const place = number % this.#targetCapacity;
    const overwritten = this.#targetKeys[place];
    if (overwritten !== undefined && this.#targetIndex.get(overwritten) === number - this.#targetCapacity) {
      this.#targetIndex.delete(overwritten);
    }
    this.#targets[place] = target;
    this.#targetKeys[place] = key;
    this.#targetIndex.set(key, number);
    return number + 1;
  }

  #readTarget(reference: number): Target | undefined {
    if (reference === 0 || reference - 1 < this.#targetsWritten - this.#targetCapacity) return undefined;
    return this.#targets[(reference - 1) % this.#targetCapacity];
  }
}

function keyOf(target: Target): string {
  if ('inode' in target) return `${target.device}:${target.inode}:${target.fd}:${target.name}`;
  const { tuple } = target;
  return `${target.cookie}|${tuple.localAddress}|${tuple.localPort}|${tuple.remoteAddress}|${tuple.remotePort}|${target.listening}`;
}
