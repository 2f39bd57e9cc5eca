/** Sentences about where time went. Plain words; the numbers first. */
import type { TimeClass } from '../observer/types.js';
import type { ExplainedSpan, HotStack, Interval } from './explained-span.js';
import { formatNs, formatShare, printable } from './format.js';
import type { Reason } from './why.js';

/** The chain as one sentence: "GET /a in shop waited 93 % (88 ms) for GET /b in pricing, which slept 91 % (80 ms)". */
export const describeChain = (reasons: readonly Reason[]): string => {
  const clauses = reasons.map(
    (reason, index) => `${index === 0 ? `${describeSpan(reason.span)} ` : 'which '}${describeReason(reason)}`,
  );
  const hidden = clauses.length - MAX_CLAUSES;
  if (hidden > 0) clauses.splice(2, hidden + 1, `and so on through ${hidden + 1} more spans`);
  const second = describeSecond(reasons.at(-1));
  return clauses.join(', ') + (second === '' ? '' : `; ${second}`);
};

/** Deeper chains keep their beginning and their end. */
const MAX_CLAUSES = 6;
/** A second class is worth a word from this share of the span on. */
const SECOND_SHARE = 0.2;

const describeSecond = (last: Reason | undefined): string => {
  if (last?.kind !== 'spent') return '';
  const { breakdown, durationNs } = last.span;
  const second = breakdown.find(({ timeClass }) => timeClass !== last.timeClass);
  if (second === undefined || second.ns < durationNs * SECOND_SHARE) return '';
  const amount = `${formatNs(second.ns)} (${formatShare(second.ns, durationNs)})`;
  return `another ${amount} went to ${SECOND_NOUNS[second.timeClass]}`;
};

const SECOND_NOUNS: Readonly<Record<TimeClass, string>> = {
  cpu: 'running on the CPU',
  runqueue: 'waiting for a CPU',
  lock: 'locks',
  net: 'the network',
  disk: 'the disk',
  sleep: 'sleeping',
  ipc: 'waiting for other threads or processes',
  idle: 'an idle event loop',
  other: 'other waits',
  unattributed: 'what the kernel does not explain',
};

/** The end of the chain in a few words, for a list: "93 % lock in inventory: stock-clerk (12)". */
export const summarize = (reasons: readonly Reason[]): string => {
  const last = reasons.at(-1);
  const first = reasons[0];
  if (last === undefined || first === undefined) return '';
  const where = last.span.service === first.span.service ? '' : ` in ${printable(last.span.service)}`;
  if (last.kind !== 'spent') {
    return `no kernel detail${where === '' ? '' : `; time went to ${printable(last.span.name)}${where}`}`;
  }
  const what = `${formatShare(last.ns, first.span.durationNs)} ${CLASS_NOUNS[last.timeClass]}${where}`;
  const subject = last.timeClass === 'cpu' ? hotFunction(last.span.hotStack) : shortSubject(last.longest);
  return subject === '' ? what : `${what}: ${subject}`;
};

/** "GET /stock/{id} in inventory" */
export const describeSpan = (span: ExplainedSpan): string =>
  `${displayName(span)} in ${printable(span.service)}`;

/** The span's name; a client's bare "GET" is followed by the server that was asked. */
export const displayName = (span: ExplainedSpan): string => {
  const { name, kind, attributes } = span;
  const server = attributes['server.address'] ?? attributes['network.peer.address'];
  if (kind !== 'client' || name.includes(' ') || typeof server !== 'string') return printable(name);
  const port = attributes['server.port'] ?? attributes['network.peer.port'];
  return printable(`${name} ${server}${typeof port === 'number' ? `:${port}` : ''}`);
};

/** What an interval waited for, as long as is useful: peer, file, lock and who ended it. '' when nothing is known. */
export const describeSubject = (interval: Interval): string => {
  const waker = describeWaker(interval);
  const parts = [
    interval.count > 1 ? `${interval.count} stretches, the longest ${formatNs(interval.maxDurationNs)}` : '',
    interval.reason === 'event_loop_busy' ? 'event loop busy with other work' : '',
    interval.peer === '' ? '' : `peer ${interval.peer}`,
    interval.file,
    waker === '' ? '' : `${interval.timeClass === 'lock' ? 'released' : 'woken'} by ${waker}`,
    interval.lockAddress === '' ? '' : `futex ${interval.lockAddress}`,
    interval.timedOut ? 'timed out' : '',
    interval.syscall === '' || interval.syscall === 'futex' ? '' : `in ${interval.syscall}()`,
    TELLING_REASONS.has(interval.reason) ? interval.reason.replaceAll('_', ' ') : '',
  ].filter((part) => part !== '');
  return printable(parts.join(', '));
};

/** The other reasons are said by the class and the system call already. */
const TELLING_REASONS: ReadonlySet<string> = new Set([
  'page_fault',
  'file_lock',
  'semaphore',
  'unix_socket',
  'pipe',
  'eventfd',
  'message_queue',
  'child',
  'memory',
  'kernel',
  'stopped',
]);

/** The function that was on top in the hottest stack. */
export const hotFunction = (stack: HotStack | undefined): string => {
  const frames = readableFrames(stack?.frames ?? []);
  return frames.at(-1) ?? '';
};

/**
 * Frames as a person would name them, outermost first: V8's marks and URLs removed, machinery of the runtime left out
 * while anything else remains.
 */
export const readableFrames = (frames: readonly string[]): string[] => {
  const named = frames.map((frame) => ({ text: readableFrame(frame), machinery: isMachinery(frame) }));
  const own = named.filter((frame) => !frame.machinery);
  return (own.length > 0 ? own : named).map((frame) => frame.text);
};

const CLASS_NOUNS: Readonly<Record<TimeClass, string>> = {
  cpu: 'on-CPU',
  runqueue: 'waiting for a CPU',
  lock: 'lock',
  net: 'network',
  disk: 'disk',
  sleep: 'sleep',
  ipc: 'other process',
  idle: 'idle event loop',
  other: 'other wait',
  unattributed: 'unattributed',
};

const describeReason = (reason: Reason): string => {
  const { span } = reason;
  if (reason.kind === 'unknown')
    return `took ${formatNs(span.durationNs)}, of which the kernel has no detail`;
  const amount = `${formatNs(reason.ns)} (${formatShare(reason.ns, span.durationNs)})`;
  if (reason.kind === 'waited_for_span') {
    const calls = reason.count > 1 ? `${reason.count} calls of ` : '';
    return `waited ${amount} for ${calls}${describeSpan(reason.other)}`;
  }
  const { longest } = reason;
  switch (reason.timeClass) {
    case 'cpu': {
      const top = hotFunction(span.hotStack);
      return `ran on the CPU for ${amount}${top === '' ? '' : `, mostly in ${top}`}`;
    }
    case 'runqueue':
      return `was ready to run but waited ${amount} for a CPU: the machine, or its cgroup, was busy`;
    case 'lock': {
      if (longest?.timedOut === true)
        return `waited ${amount} for a lock, and gave up when the time was over`;
      const waker = longest === undefined ? '' : describeWaker(longest);
      return `waited ${amount} for a lock${waker === '' ? '' : ` that ${waker} released`}`;
    }
    case 'net':
      return `waited ${amount} for the network${longest?.peer ? `, peer ${longest.peer}` : ''}`;
    case 'disk':
      if (longest?.reason === 'page_fault')
        return `waited ${amount} for memory to be read back from the disk (page faults)`;
      return `waited ${amount} for the disk${longest?.file ? `: ${printable(longest.file)}` : ''}`;
    case 'sleep':
      return `slept ${amount} in a timer`;
    case 'ipc': {
      const waker = longest === undefined ? '' : describeWaker(longest);
      return `waited ${amount} for another thread or process${waker === '' ? '' : `, woken by ${waker}`}`;
    }
    case 'idle':
      return `was idle for ${amount}: its event loop waited for a timer or for something without a span`;
    case 'other':
      if (longest?.reason === 'event_loop_busy') {
        return `could not go on for ${amount}, because its event loop was busy with other work`;
      }
      return `waited ${amount} in ${longest?.syscall ? `${longest.syscall}()` : 'another kind of system call'}`;
    case 'unattributed':
      return `has ${amount} that the kernel's view does not explain`;
  }
};

const describeWaker = (interval: Interval): string => {
  const { wakerThread, wakerProcess } = interval;
  if (wakerThread === '') return printable(wakerProcess);
  return printable(wakerProcess === '' ? `thread ${wakerThread}` : `${wakerThread} of ${wakerProcess}`);
};

const shortSubject = (interval: Interval | undefined): string => {
  if (interval === undefined) return '';
  if (interval.reason === 'event_loop_busy') return 'event loop busy';
  if (interval.file !== '') return printable(interval.file);
  if (interval.peer !== '') return interval.peer;
  if (interval.wakerThread !== '') return printable(interval.wakerThread);
  return interval.syscall === '' ? '' : `${printable(interval.syscall)}()`;
};

/**
 * "JS:*buildReport file:///srv/shop.mjs:61:21" becomes "buildReport (shop.mjs:61)". The mark before the name (`*`, `~`,
 * `^`, `+`) is V8's compiler tier.
 */
const readableFrame = (frame: string): string => {
  const script = /^(?:JS:)?[*~^+']?(\S*) (?:file:\/\/)?(\S*\/)?([^\s/]+?):(\d+)(?::\d+)?$/.exec(frame.trim());
  if (script === null) return printable(frame.trim().replace(/^JS:[*~^+']?/, ''));
  const [, name, , file, line] = script;
  return printable(`${name === '' ? '(anonymous)' : name} (${file}:${line})`);
};

const MACHINERY =
  /^(?:node::|v8::|construct_stub_|_init$|uv_|Builtins_|Builtin:|_start$|main$|__libc_start|start_thread$|clone3?$|entry_SYSCALL|do_syscall|\[)|InterpretedFunction|JSEntry|[ (]node:[\w/]+:\d+/;

const isMachinery = (frame: string): boolean => MACHINERY.test(frame.trim());
