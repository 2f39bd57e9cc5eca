/** Encodes kernel records (bpf/abi/events.h) as the programs write them, for tests and benchmarks. */
import {
  CPU_SAMPLE_EVENT,
  EVENT_KIND,
  NET_CLOSE_EVENT,
  NET_DATA_EVENT,
  NET_ERROR_EVENT,
  NET_OPEN_EVENT,
  NET_TURNS_EVENT,
  NET_UNIX_EVENT,
  PROC_EXEC_EVENT,
  SCHED_WAIT_EVENT,
  SOCKET_TUPLE,
  TASK_EXIT_EVENT,
  WAIT_FILE,
  WAIT_SOCKET,
} from '../../src/receiver/ebpf/abi.gen.js';

export interface TestTuple {
  readonly local: readonly [address: string, port: number];
  readonly remote: readonly [address: string, port: number];
  /** Default tcp over IPv4. */
  readonly transport?: 'tcp' | 'udp' | 'unix';
}

export interface DataFields {
  readonly time?: number;
  readonly tgid?: number;
  readonly tid?: number;
  readonly cookie: number;
  readonly position: number;
  readonly length?: number;
  readonly turn: number;
  readonly egress: boolean;
  readonly role?: number;
  readonly flags?: number;
  readonly tuple?: TestTuple;
  /** The whole operation. */
  readonly payload: Uint8Array;
  /** Bytes of it that are captured; default all. */
  readonly captured?: number;
}

/** include/net/tcp_states.h */
const ESTABLISHED = 1;
const TUPLE: TestTuple = { local: ['127.0.0.1', 8080], remote: ['127.0.0.1', 40_000] };

export function dataRecord(fields: DataFields): Buffer {
  const captured = Math.min(fields.captured ?? fields.payload.length, fields.payload.length);
  const size = NET_DATA_EVENT.size + ((captured + 7) & ~7);
  const record = header(EVENT_KIND.NET_DATA, size, fields.time ?? 1000, fields.flags ?? 0);
  const at = NET_DATA_EVENT.offset;
  record.writeUInt32LE(fields.tgid ?? 100, at.tgid);
  record.writeUInt32LE(fields.tid ?? 101, at.tid);
  writeU64(record, fields.cookie, at.socketCookie);
  record.writeUInt32LE(fields.position >>> 0, at.position);
  record.writeUInt32LE(fields.length ?? fields.payload.length, at.length);
  record.writeUInt32LE(fields.turn, at.turn);
  record.writeUInt16LE(captured, at.captured);
  record[at.direction] = fields.egress ? 1 : 0;
  record[at.role] = fields.role ?? 2;
  writeTuple(record, at.tuple, fields.tuple ?? TUPLE);
  const tail = fields.payload.subarray(-8);
  record.set(tail, at.tail + 8 - tail.length);
  record.set(fields.payload.subarray(0, captured), NET_DATA_EVENT.size);
  return record;
}

export function openRecord(fields: {
  cookie: number;
  role: number;
  time?: number;
  tgid?: number;
  tuple?: TestTuple;
}): Buffer {
  const record = header(EVENT_KIND.NET_OPEN, NET_OPEN_EVENT.size, fields.time ?? 1000);
  const at = NET_OPEN_EVENT.offset;
  record.writeUInt32LE(fields.tgid ?? 0, at.tgid);
  writeU64(record, fields.cookie, at.socketCookie);
  record[at.role] = fields.role;
  writeTuple(record, at.tuple, fields.tuple ?? TUPLE);
  return record;
}

export function closeRecord(fields: {
  cookie: number;
  turns: number;
  error?: number;
  time?: number;
  tgid?: number;
  connectStart?: number;
  oldState?: number;
  tuple?: TestTuple;
}): Buffer {
  const record = header(EVENT_KIND.NET_CLOSE, NET_CLOSE_EVENT.size, fields.time ?? 1000);
  const at = NET_CLOSE_EVENT.offset;
  writeU64(record, fields.cookie, at.socketCookie);
  record.writeUInt32LE(fields.turns, at.turns);
  record.writeInt32LE(fields.error ?? 0, at.error);
  record.writeUInt32LE(fields.tgid ?? 0, at.tgid);
  record.writeUInt32LE(fields.oldState ?? ESTABLISHED, at.oldState);
  writeU64(record, fields.connectStart ?? 0, at.connectStart);
  writeTuple(record, at.tuple, fields.tuple ?? TUPLE);
  return record;
}

export function turnsRecord(fields: {
  cookie: number;
  turns: number;
  time?: number;
  tuple?: TestTuple;
}): Buffer {
  const record = header(EVENT_KIND.NET_TURNS, NET_TURNS_EVENT.size, fields.time ?? 1000);
  const at = NET_TURNS_EVENT.offset;
  writeU64(record, fields.cookie, at.socketCookie);
  record.writeUInt32LE(fields.turns, at.turns);
  record.writeUInt32LE(100, at.tgid);
  writeTuple(record, at.tuple, fields.tuple ?? TUPLE);
  return record;
}

export function unixRecord(fields: {
  cookie: number;
  role: number;
  path: string;
  time?: number;
  peerCookie?: number;
}): Buffer {
  const record = header(EVENT_KIND.NET_UNIX, NET_UNIX_EVENT.size, fields.time ?? 1000);
  const at = NET_UNIX_EVENT.offset;
  record.writeUInt32LE(100, at.tgid);
  record.writeUInt32LE(101, at.tid);
  writeU64(record, fields.cookie, at.socketCookie);
  writeU64(record, fields.peerCookie ?? 0, at.peerCookie);
  record.writeUInt32LE(200, at.peerTgid);
  record[at.role] = fields.role;
  record[at.pathLength] = record.write(fields.path, at.path, 108);
  return record;
}

export function errorRecord(fields: {
  cookie: number;
  error: number;
  egress: boolean;
  time?: number;
  tuple?: TestTuple;
}): Buffer {
  const record = header(EVENT_KIND.NET_ERROR, NET_ERROR_EVENT.size, fields.time ?? 1000);
  const at = NET_ERROR_EVENT.offset;
  record.writeUInt32LE(100, at.tgid);
  record.writeUInt32LE(101, at.tid);
  writeU64(record, fields.cookie, at.socketCookie);
  record.writeInt32LE(fields.error, at.error);
  record[at.direction] = fields.egress ? 1 : 0;
  writeTuple(record, at.tuple, fields.tuple ?? TUPLE);
  return record;
}

export function waitRecord(fields: {
  tgid: number;
  tid: number;
  off: number;
  on: number;
  syscall?: number;
  fdKind?: number;
  socketCookie?: number;
  file?: { inode: number; fd: number; name: string };
}): Buffer {
  const extra = fields.socketCookie !== undefined ? WAIT_SOCKET.size : fields.file ? WAIT_FILE.size : 0;
  const record = header(EVENT_KIND.SCHED_WAIT, SCHED_WAIT_EVENT.size + extra, fields.on);
  const at = SCHED_WAIT_EVENT.offset;
  record.writeUInt32LE(fields.tgid, at.tgid);
  record.writeUInt32LE(fields.tid, at.tid);
  writeU64(record, fields.off, at.off);
  record.writeInt32LE(fields.syscall ?? -1, at.syscall);
  record[at.fdKind] = fields.fdKind ?? 0;
  const after = SCHED_WAIT_EVENT.size;
  if (fields.socketCookie !== undefined) {
    writeU64(record, fields.socketCookie, after);
    writeTuple(record, after + WAIT_SOCKET.offset.tuple, TUPLE);
  } else if (fields.file) {
    writeU64(record, fields.file.inode, after);
    record.writeUInt32LE(fields.file.fd, after + WAIT_FILE.offset.fd);
    record.write(fields.file.name, after + WAIT_FILE.offset.name);
  }
  return record;
}

export function sampleRecord(fields: {
  tgid: number;
  tid: number;
  comm: string;
  time: number;
  kernel: readonly bigint[];
  user: readonly bigint[];
}): Buffer {
  const record = header(EVENT_KIND.CPU_SAMPLE, CPU_SAMPLE_EVENT.size, fields.time);
  const at = CPU_SAMPLE_EVENT.offset;
  record.writeUInt32LE(fields.tgid, at.tgid);
  record.writeUInt32LE(fields.tid, at.tid);
  record.writeUInt16LE(fields.kernel.length, at.kernelFrames);
  record.writeUInt16LE(fields.user.length, at.userFrames);
  record.write(fields.comm, at.comm);
  fields.kernel.forEach((address, i) => {
    record.writeBigUInt64LE(address, at.kernelStack + 8 * i);
  });
  fields.user.forEach((address, i) => {
    record.writeBigUInt64LE(address, at.userStack + 8 * i);
  });
  return record;
}

export function execRecord(fields: { tgid: number; parentTgid: number; comm: string }): Buffer {
  const record = header(EVENT_KIND.PROC_EXEC, PROC_EXEC_EVENT.size, 1000);
  record.writeUInt32LE(fields.tgid, PROC_EXEC_EVENT.offset.tgid);
  record.writeUInt32LE(fields.parentTgid, PROC_EXEC_EVENT.offset.parentTgid);
  record.write(fields.comm, PROC_EXEC_EVENT.offset.comm);
  return record;
}

export function exitRecord(fields: { tgid: number; tid: number; last: boolean; time?: number }): Buffer {
  const record = header(EVENT_KIND.TASK_EXIT, TASK_EXIT_EVENT.size, fields.time ?? 1000);
  record.writeUInt32LE(fields.tgid, TASK_EXIT_EVENT.offset.tgid);
  record.writeUInt32LE(fields.tid, TASK_EXIT_EVENT.offset.tid);
  record[TASK_EXIT_EVENT.offset.last] = fields.last ? 1 : 0;
  return record;
}

export function header(kind: number, size: number, time: number, flags = 0): Buffer {
  const record = Buffer.from(new ArrayBuffer(size));
  record.writeUInt16LE(kind, 0);
  record.writeUInt16LE(flags, 2);
  record.writeUInt32LE(size, 4);
  writeU64(record, time, 8);
  return record;
}

/** Records back to back in memory that begins at a multiple of 8, as a slab. */
export function slab(records: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const record of records) {
    bytes.set(record, at);
    at += record.length;
  }
  return bytes;
}

function writeU64(record: Buffer, value: number, at: number): void {
  record.writeBigUInt64LE(BigInt(value), at);
}

function writeTuple(record: Buffer, at: number, { local, remote, transport = 'tcp' }: TestTuple): void {
  const { offset } = SOCKET_TUPLE;
  if (transport === 'unix') {
    record.writeUInt16LE(1, at + offset.family);
    return;
  }
  writeAddress(record, at + offset.localAddress, local[0]);
  writeAddress(record, at + offset.remoteAddress, remote[0]);
  record.writeUInt16LE(local[1], at + offset.localPort);
  record.writeUInt16LE(remote[1], at + offset.remotePort);
  record.writeUInt16LE(2, at + offset.family);
  record[at + offset.protocol] = transport === 'udp' ? 17 : 6;
}

function writeAddress(record: Buffer, at: number, address: string): void {
  record.writeUInt16BE(0xffff, at + 10);
  address.split('.').forEach((part, i) => {
    record[at + 12 + i] = Number(part);
  });
}
