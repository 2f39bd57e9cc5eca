/**
 * Attribute and event names that Kindling puts on spans and reads back: the ones of OpenTelemetry's semantic
 * conventions are spelled where they are used; these are our own, because no convention exists for them yet.
 */
import type { TimeClass } from './observer/types.js';

/** Span attribute with the nanoseconds (int) that the span spent in a class. All of them sum to the span's duration. */
export const timeAttribute = (timeClass: TimeClass): string => `kindling.time.${timeClass}_ns`;

/** 0…1 (double): how sure the join between span and threads is. */
export const ATTR_CONFIDENCE = 'kindling.join.confidence';
/** Comma-separated words: how the span was joined, for example `traceparent,same_thread`. */
export const ATTR_EVIDENCE = 'kindling.join.evidence';
/** Kernel thread ids (int array) that executed the span. */
export const ATTR_THREADS = 'kindling.threads';
/** Why the span has its events and stacks (`slow`, `error`, ...; see `TRIGGERS`). Absent where it has totals only. */
export const ATTR_TRIGGER = 'kindling.trigger';
/** `kernel` on spans that were built from kernel events; absent on enriched spans of an SDK. */
export const ATTR_SOURCE = 'kindling.source';
/** On spans built from kernel events: why a part is missing (`gap`, `no_response`, `reset`). */
export const ATTR_INCOMPLETE = 'kindling.incomplete';
/** On spans seen in clear inside TLS: the library that was probed (`openssl`, `gnutls`, `go`). */
export const ATTR_TLS_LIBRARY = 'kindling.tls.library';
/** How the plaintext was joined with its socket (`descriptor`, `call`, `order`), and how sure that is, 0…1 (double). */
export const ATTR_TLS_EVIDENCE = 'kindling.tls.evidence';
export const ATTR_TLS_CONFIDENCE = 'kindling.tls.confidence';
/** Hottest on-CPU stack of the span, outermost frame first, `;`-joined, at most 1 KiB. */
export const ATTR_HOT_STACK = 'kindling.cpu.hot_stack';
/** Samples behind `kindling.cpu.hot_stack` / all samples of the span (ints). */
export const ATTR_HOT_STACK_SAMPLES = 'kindling.cpu.hot_stack_samples';
export const ATTR_CPU_SAMPLES = 'kindling.cpu.samples';

/** Span event names; the event's time is the start of the interval. */
export const EVENT_NAMES = {
  cpu: 'cpu.on',
  runqueue: 'cpu.wait',
  lock: 'lock.wait',
  net: 'net.wait',
  disk: 'disk.wait',
  sleep: 'sleep',
  ipc: 'ipc.wait',
  idle: 'idle.wait',
  other: 'other.wait',
  unattributed: 'unattributed',
} as const satisfies Record<TimeClass, string>;

/** Common event attributes. `duration_ns` int; `thread.os_id` int; `thread.name` string. */
export const EVENT_DURATION = 'duration_ns';
export const EVENT_THREAD_ID = 'thread.os_id';
export const EVENT_THREAD_NAME = 'thread.name';
export const EVENT_CONFIDENCE = 'confidence';
export const EVENT_EVIDENCE = 'evidence';
/** `lock.wait`: address of the futex word as hex text, and the thread that woke the waiter ("name (tid)"). */
export const EVENT_LOCK_ADDRESS = 'lock.address';
export const EVENT_WAKER_THREAD = 'waker.thread';
export const EVENT_WAKER_PROCESS = 'waker.process';
/** `disk.wait` */
export const EVENT_FILE_PATH = 'file.path';
/** `net.wait`: semantic conventions `network.peer.address`, `network.peer.port`. */
export const EVENT_SYSCALL = 'syscall';

/** Events that stand for several intervals of one class: how many, and the longest. `duration_ns` is their sum. */
export const EVENT_COUNT = 'count';
export const EVENT_MAX_DURATION = 'max_duration_ns';
/** `lock.wait`: true when a timer ended it and nobody gave the lock. */
export const EVENT_LOCK_TIMED_OUT = 'lock.timed_out';
/** Why the class, for example `page_fault`, `multiplex`, `event_loop_busy`; only where the class leaves it open. */
export const EVENT_REASON = 'reason';
