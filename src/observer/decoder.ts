/**
 * Kernel records (bpf/abi/events.h) to calls of an `EventSink`, in the ring's order.
 *
 * A slab is decoded in place. Kinds that are not known are skipped by their size; bytes that make no sense end the slab
 * or the record and are counted. Nothing here throws or reads outside the slab, whatever the bytes are.
 */
import {
  CPU_SAMPLE_EVENT,
  EVENT_HEADER,
  EVENT_KIND,
  FD_KIND,
  NET_CLOSE_EVENT,
  NET_DATA_EVENT,
  NET_DATA_FLAGS,
  NET_DIRECTION,
  NET_ERROR_EVENT,
  NET_OPEN_EVENT,
  NET_OPEN_FLAGS,
  NET_ROLE,
  NET_TURNS_EVENT,
  NET_UNIX_EVENT,
  PROC_EXEC_EVENT,
  SCHED_WAIT_EVENT,
  SCHED_WAIT_FLAGS,
  SOCKET_TUPLE,
  TASK_EXIT_EVENT,
  TLS_CLOSE_EVENT,
  TLS_DATA_EVENT,
  WAIT_FILE,
  WAIT_SOCKET,
} from '../receiver/ebpf/abi.gen.js';
import { SocketTuples } from './socket-tuples.js';
import type { TlsDataRecord } from './tls/tls-records.js';
import type { EventSink, NetDataRecord, SocketTuple, Transport, WaitRecord } from './types.js';

const TWO_32 = 0x1_0000_0000;
const DATA = NET_DATA_EVENT.offset;
const OPEN = NET_OPEN_EVENT.offset;
const CLOSE = NET_CLOSE_EVENT.offset;
const UNIX = NET_UNIX_EVENT.offset;
const TURNS = NET_TURNS_EVENT.offset;
const ERROR = NET_ERROR_EVENT.offset;
const WAIT = SCHED_WAIT_EVENT.offset;
const SAMPLE = CPU_SAMPLE_EVENT.offset;
const EXEC = PROC_EXEC_EVENT.offset;
const EXIT = TASK_EXIT_EVENT.offset;
const TLS = TLS_DATA_EVENT.offset;
const TLS_CLOSE = TLS_CLOSE_EVENT.offset;
const EMPTY_BYTES: Buffer = Buffer.alloc(0);
const EMPTY_WORDS: Uint32Array = new Uint32Array(0);

/** One object for all records; see `NetDataRecord`. */
class NetDataView implements NetDataRecord {
  time = 0;
  tgid = 0;
  tid = 0;
  socketCookie = 0;
  position = 0;
  length = 0;
  turn = 0;
  egress = false;
  continuation = false;
  noMemory = false;
  shed = false;
  repeatsTail = false;
  role = 0;
  bytes = EMPTY_BYTES;
  payloadStart = 0;
  payloadEnd = 0;
  tailStart = 0;
  words = EMPTY_WORDS;
  tupleStart = 0;
  readonly #tuples: SocketTuples;

  constructor(tuples: SocketTuples) {
    this.#tuples = tuples;
  }

  get tuple(): SocketTuple {
    return this.#tuples.read(this.bytes, this.words, this.tupleStart, this.socketCookie);
  }

  get transport(): Transport {
    return transportAt(this.words, this.tupleStart);
  }
}

const AF_UNIX = 1;
const IPPROTO_UDP = 17;
/** include/net/tcp_states.h */
const TCP_SYN_SENT = 2;

/** Of the `struct socket_tuple` at byte `at`. */
function transportAt(words: Uint32Array, at: number): Transport {
  const mixed = words[(at + SOCKET_TUPLE.offset.family) >> 2]!;
  if (((mixed >>> 16) & 0xff) === IPPROTO_UDP) return 'udp';
  return (mixed & 0xffff) === AF_UNIX ? 'unix' : 'tcp';
}

export class Decoder {
  /** Records handed to the sink. */
  records = 0;
  /** Records of kinds that this version does not know. */
  unknown = 0;
  /** Records, or rests of slabs, that made no sense. */
  malformed = 0;
  readonly #sink: EventSink;
  readonly #tuples = new SocketTuples();
  readonly #data = new NetDataView(this.#tuples);
  #bytes = EMPTY_BYTES;
  #words = EMPTY_WORDS;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  /** Decodes `bytes[0, length)`; `bytes` must begin at a multiple of 4 of its ArrayBuffer. Keeps nothing of it. */
  decode(bytes: Uint8Array, length: number): void {
    const end = Math.min(length, bytes.length) & ~3;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, end >> 2);
    for (let at = 0; at < end; ) {
      const left = end - at;
      const size = left >= EVENT_HEADER.size ? this.#word(at + EVENT_HEADER.offset.size) : 0;
      if (size < EVENT_HEADER.size || size > left || size % 8 !== 0) {
        this.malformed++;
        break;
      }
      const { records, unknown } = this;
      if (this.#record(at, size)) this.records = records + 1;
      else if (this.unknown === unknown) this.malformed++;
      at += size;
    }
    this.#bytes = EMPTY_BYTES;
    this.#words = EMPTY_WORDS;
  }

  /** False when the record is too short for its kind or of an unknown kind. */
  #record(at: number, size: number): boolean {
    const kind = this.#word(at) & 0xffff;
    switch (kind) {
      case EVENT_KIND.NET_DATA:
        return size >= NET_DATA_EVENT.size && this.#netData(at, size);
      case EVENT_KIND.NET_OPEN:
        return size >= NET_OPEN_EVENT.size && this.#netOpen(at);
      case EVENT_KIND.NET_CLOSE:
        return size >= NET_CLOSE_EVENT.size && this.#netClose(at);
      case EVENT_KIND.NET_UNIX:
        return size >= NET_UNIX_EVENT.size && this.#netUnix(at);
      case EVENT_KIND.NET_TURNS:
        return size >= NET_TURNS_EVENT.size && this.#netTurns(at);
      case EVENT_KIND.NET_ERROR:
        return size >= NET_ERROR_EVENT.size && this.#netError(at);
      case EVENT_KIND.SCHED_WAIT:
        return size >= SCHED_WAIT_EVENT.size && this.#wait(at, size);
      case EVENT_KIND.CPU_SAMPLE:
        return size >= CPU_SAMPLE_EVENT.size && this.#sample(at);
      case EVENT_KIND.PROC_EXEC:
        return size >= PROC_EXEC_EVENT.size && this.#exec(at);
      case EVENT_KIND.TASK_EXIT:
        return size >= TASK_EXIT_EVENT.size && this.#exit(at);
      case EVENT_KIND.TLS_DATA:
        return size >= TLS_DATA_EVENT.size && this.#tlsData(at, size);
      case EVENT_KIND.TLS_CLOSE:
        return size >= TLS_CLOSE_EVENT.size && this.#tlsClose(at);
      default:
        this.unknown++;
        return false;
    }
  }

  #netData(at: number, size: number): boolean {
    const words = this.#words;
    const word = at >> 2;
    const mixed = words[word + (DATA.captured >> 2)]!;
    const captured = mixed & 0xffff;
    if (captured > size - NET_DATA_EVENT.size) return false;
    const flags = words[word]! >>> 16;
    const data = this.#data;
    data.time = this.#u64(at + EVENT_HEADER.offset.time);
    data.tgid = words[word + (DATA.tgid >> 2)]!;
    data.tid = words[word + (DATA.tid >> 2)]!;
    data.socketCookie = this.#u64(at + DATA.socketCookie);
    data.position = words[word + (DATA.position >> 2)]!;
    data.length = words[word + (DATA.length >> 2)]!;
    data.turn = words[word + (DATA.turn >> 2)]!;
    data.egress = ((mixed >>> 16) & 0xff) === NET_DIRECTION.EGRESS;
    data.role = mixed >>> 24;
    data.continuation = (flags & NET_DATA_FLAGS.CONTINUATION) !== 0;
    data.noMemory = (flags & NET_DATA_FLAGS.NO_MEMORY) !== 0;
    data.shed = (flags & NET_DATA_FLAGS.SHED) !== 0;
    data.repeatsTail = (flags & NET_DATA_FLAGS.TAIL) !== 0;
    data.bytes = this.#bytes;
    data.words = words;
    data.tupleStart = at + DATA.tuple;
    data.tailStart = at + DATA.tail;
    data.payloadStart = at + NET_DATA_EVENT.size;
    data.payloadEnd = data.payloadStart + Math.min(captured, data.length);
    this.#sink.netData(data);
    return true;
  }

  #tlsData(at: number, size: number): boolean {
    const mixed = this.#word(at + TLS.captured);
    const captured = mixed & 0xffff;
    if (captured > size - TLS_DATA_EVENT.size) return false;
    const length = this.#word(at + TLS.length);
    const payloadStart = at + TLS_DATA_EVENT.size;
    const record: TlsDataRecord = {
      time: this.#time(at),
      start: this.#u64(at + TLS.start),
      tgid: this.#word(at + TLS.tgid),
      tid: this.#word(at + TLS.tid),
      session: this.#u64(at + TLS.session),
      socketCookie: this.#u64(at + TLS.socketCookie),
      position: this.#word(at + TLS.position),
      length,
      turn: this.#word(at + TLS.turn),
      egress: ((mixed >>> 16) & 0xff) === NET_DIRECTION.EGRESS,
      library: mixed >>> 24,
      bytes: this.#bytes,
      payloadStart,
      payloadEnd: payloadStart + Math.min(captured, length),
      tailStart: at + TLS.tail,
    };
    this.#sink.tlsData?.(record);
    return true;
  }

  #tlsClose(at: number): boolean {
    this.#sink.tlsClose?.({
      time: this.#time(at),
      tgid: this.#word(at + TLS_CLOSE.tgid),
      session: this.#u64(at + TLS_CLOSE.session),
      turns: this.#word(at + TLS_CLOSE.turns),
    });
    return true;
  }

  #netOpen(at: number): boolean {
    const socketCookie = this.#u64(at + OPEN.socketCookie);
    this.#sink.netOpen({
      time: this.#time(at),
      tgid: this.#word(at + OPEN.tgid),
      tid: this.#word(at + OPEN.tid),
      socketCookie,
      connectStart: this.#u64(at + OPEN.connectStart),
      role: this.#bytes[at + OPEN.role]!,
      tuple: this.#tuples.read(this.#bytes, this.#words, at + OPEN.tuple, socketCookie),
      existing: ((this.#word(at) >>> 16) & NET_OPEN_FLAGS.EXISTING) !== 0,
      netns: this.#word(at + OPEN.netns),
    });
    return true;
  }

  #netUnix(at: number): boolean {
    const role = this.#bytes[at + UNIX.role]!;
    const length = Math.min(this.#bytes[at + UNIX.pathLength]!, NET_UNIX_EVENT.count.path);
    const path = unixPath(this.#bytes.toString('utf8', at + UNIX.path, at + UNIX.path + length));
    this.#sink.netUnix?.({
      time: this.#time(at),
      tgid: this.#word(at + UNIX.tgid),
      tid: this.#word(at + UNIX.tid),
      socketCookie: this.#u64(at + UNIX.socketCookie),
      peerCookie: this.#u64(at + UNIX.peerCookie),
      peerTgid: this.#word(at + UNIX.peerTgid),
      role,
      tuple: {
        family: 'unix',
        localAddress: role === NET_ROLE.SERVER ? path : '',
        localPort: 0,
        remoteAddress: role === NET_ROLE.CLIENT ? path : '',
        remotePort: 0,
      },
    });
    return true;
  }

  #netTurns(at: number): boolean {
    const socketCookie = this.#u64(at + TURNS.socketCookie);
    this.#sink.netTurns?.({
      time: this.#time(at),
      tgid: this.#word(at + TURNS.tgid),
      socketCookie,
      turns: this.#word(at + TURNS.turns),
      transport: transportAt(this.#words, at + TURNS.tuple),
      tuple: this.#tuples.read(this.#bytes, this.#words, at + TURNS.tuple, socketCookie),
    });
    return true;
  }

  #netError(at: number): boolean {
    const socketCookie = this.#u64(at + ERROR.socketCookie);
    this.#sink.netError?.({
      time: this.#time(at),
      tgid: this.#word(at + ERROR.tgid),
      tid: this.#word(at + ERROR.tid),
      socketCookie,
      error: this.#word(at + ERROR.error) | 0,
      egress: this.#bytes[at + ERROR.direction] === NET_DIRECTION.EGRESS,
      transport: transportAt(this.#words, at + ERROR.tuple),
      tuple: this.#tuples.read(this.#bytes, this.#words, at + ERROR.tuple, socketCookie),
    });
    return true;
  }

  #netClose(at: number): boolean {
    const socketCookie = this.#u64(at + CLOSE.socketCookie);
    this.#sink.netClose({
      time: this.#time(at),
      tgid: this.#word(at + CLOSE.tgid),
      socketCookie,
      bytesSent: this.#u64(at + CLOSE.bytesSent),
      bytesReceived: this.#u64(at + CLOSE.bytesReceived),
      turns: this.#word(at + CLOSE.turns),
      error: this.#word(at + CLOSE.error) | 0,
      tuple: this.#tuples.read(this.#bytes, this.#words, at + CLOSE.tuple, socketCookie),
      unconnected: this.#word(at + CLOSE.oldState) === TCP_SYN_SENT,
      connectStart: this.#u64(at + CLOSE.connectStart),
      tid: this.#word(at + CLOSE.tid),
    });
    return true;
  }

  #wait(at: number, size: number): boolean {
    const flags = this.#word(at) >>> 16;
    const mixed = this.#word(at + WAIT.state);
    const fdKind = mixed >>> 24;
    const extra = at + SCHED_WAIT_EVENT.size;
    const room = size - SCHED_WAIT_EVENT.size;
    this.#sink.wait({
      tgid: this.#word(at + WAIT.tgid),
      tid: this.#word(at + WAIT.tid),
      off: this.#u64(at + WAIT.off),
      wake: this.#u64(at + WAIT.wake),
      on: this.#time(at),
      onBefore: this.#u64(at + WAIT.onBefore),
      open: (flags & SCHED_WAIT_FLAGS.OPEN) !== 0,
      preempted: (flags & SCHED_WAIT_FLAGS.PREEMPTED) !== 0,
      syscall: this.#word(at + WAIT.syscall) | 0,
      args: [this.#u64(at + WAIT.args), this.#u64(at + WAIT.args + 8), this.#u64(at + WAIT.args + 16)],
      state: mixed & 0xffff,
      iowait: ((mixed >>> 16) & 0xff) !== 0,
      fdKind,
      wakerTgid: this.#word(at + WAIT.wakerTgid),
      wakerTid: this.#word(at + WAIT.wakerTid),
      wakerSyscall: this.#word(at + WAIT.wakerSyscall) | 0,
      socket: fdKind === FD_KIND.SOCKET && room >= WAIT_SOCKET.size ? this.#waitSocket(extra) : undefined,
      file:
        (fdKind === FD_KIND.FILE || fdKind === FD_KIND.BLOCK) && room >= WAIT_FILE.size
          ? this.#waitFile(extra)
          : undefined,
    });
    return true;
  }

  #waitSocket(at: number): WaitRecord['socket'] {
    const cookie = this.#u64(at + WAIT_SOCKET.offset.socketCookie);
    return {
      cookie,
      tuple: this.#tuples.read(this.#bytes, this.#words, at + WAIT_SOCKET.offset.tuple, cookie),
      listening: this.#bytes[at + WAIT_SOCKET.offset.listening] !== 0,
    };
  }

  #waitFile(at: number): WaitRecord['file'] {
    const { offset, count } = WAIT_FILE;
    return {
      inode: this.#u64(at + offset.inode),
      device: this.#word(at + offset.device),
      fd: this.#word(at + offset.fd),
      name: this.#text(at + offset.name, count.name),
    };
  }

  #sample(at: number): boolean {
    const frames = this.#word(at + SAMPLE.kernelFrames);
    const { count } = CPU_SAMPLE_EVENT;
    this.#sink.sample({
      time: this.#time(at),
      tgid: this.#word(at + SAMPLE.tgid),
      tid: this.#word(at + SAMPLE.tid),
      comm: this.#text(at + SAMPLE.comm, count.comm),
      kernelStack: this.#stack(at + SAMPLE.kernelStack, Math.min(frames & 0xffff, count.kernelStack)),
      userStack: this.#stack(at + SAMPLE.userStack, Math.min(frames >>> 16, count.userStack)),
    });
    return true;
  }

  #exec(at: number): boolean {
    this.#sink.exec({
      time: this.#time(at),
      tgid: this.#word(at + EXEC.tgid),
      parentTgid: this.#word(at + EXEC.parentTgid),
      comm: this.#text(at + EXEC.comm, PROC_EXEC_EVENT.count.comm),
    });
    return true;
  }

  #exit(at: number): boolean {
    this.#sink.exit({
      time: this.#time(at),
      tgid: this.#word(at + EXIT.tgid),
      tid: this.#word(at + EXIT.tid),
      exitCode: this.#word(at + EXIT.exitCode) | 0,
      last: this.#bytes[at + EXIT.last] !== 0,
    });
    return true;
  }

  #word(at: number): number {
    return this.#words[at >> 2]!;
  }

  #time(at: number): number {
    return this.#u64(at + EVENT_HEADER.offset.time);
  }

  /** Exact below 2^53; addresses and other large numbers are rounded. */
  #u64(at: number): number {
    const words = this.#words;
    const word = at >> 2;
    const high = words[word + 1]!;
    // Most cookies are small: an integer is a cheaper key than a float.
    return high === 0 ? words[word]! : high * TWO_32 + words[word]!;
  }

  #stack(at: number, frames: number): bigint[] {
    const stack: bigint[] = [];
    for (let i = 0; i < frames; i++) {
      const address = this.#bytes.readBigUInt64LE(at + 8 * i);
      if (address === 0n) break;
      stack.push(address);
    }
    return stack;
  }

  /** NUL-padded text. */
  #text(at: number, size: number): string {
    let end = at;
    while (end < at + size && this.#bytes[end] !== 0) end++;
    return this.#bytes.toString('utf8', at, end);
  }
}

/** Abstract names begin with NUL and are written with an "@" in its place, as the system's own tools do. */
const unixPath = (name: string): string =>
  name.startsWith('\0') ? `@${name.slice(1)}` : name.replace(/\0$/, '');
