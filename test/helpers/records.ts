/** The kernel's records as plain objects, for tests: slow, complete, and written apart from the product's decoder. */

import {
  CPU_SAMPLE_EVENT,
  EVENT_HEADER,
  EVENT_KIND,
  FD_KIND,
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
  TLS_CLOSE_EVENT,
  TLS_DATA_EVENT,
  WAIT_FILE,
  WAIT_SOCKET,
} from '../../src/receiver/ebpf/abi.gen.js';
import type { Batch } from '../../src/receiver/ebpf/native.js';

export interface Tuple {
  readonly local: string;
  readonly localPort: number;
  readonly remote: string;
  readonly remotePort: number;
  readonly family: number;
  readonly protocol: number;
}

interface Common {
  readonly flags: number;
  readonly size: number;
  readonly time: number;
  readonly tgid: number;
}

export type EventRecord = Common &
  (
    | {
        readonly kind: 'net_data';
        readonly tid: number;
        readonly cookie: number;
        readonly position: number;
        readonly length: number;
        readonly turn: number;
        readonly egress: boolean;
        readonly role: number;
        readonly tuple: Tuple;
        readonly payload: string;
        readonly tail: string;
      }
    | {
        readonly kind: 'net_open';
        readonly tid: number;
        readonly cookie: number;
        readonly connectStart: number;
        readonly tuple: Tuple;
        readonly role: number;
        readonly netns: number;
      }
    | {
        readonly kind: 'net_unix';
        readonly tid: number;
        readonly cookie: number;
        readonly peerCookie: number;
        readonly peerTgid: number;
        readonly role: number;
        readonly path: string;
      }
    | {
        readonly kind: 'net_turns';
        readonly cookie: number;
        readonly turns: number;
        readonly tuple: Tuple;
      }
    | {
        readonly kind: 'net_error';
        readonly tid: number;
        readonly cookie: number;
        readonly error: number;
        readonly egress: boolean;
        readonly tuple: Tuple;
      }
    | {
        readonly kind: 'net_close';
        readonly cookie: number;
        readonly bytesSent: number;
        readonly bytesReceived: number;
        readonly turns: number;
        readonly error: number;
        readonly tuple: Tuple;
        readonly oldState: number;
        readonly connectStart: number;
        readonly tid: number;
      }
    | {
        readonly kind: 'sched_wait';
        readonly tid: number;
        readonly off: number;
        readonly wake: number;
        readonly onBefore: number;
        readonly args: readonly number[];
        readonly syscall: number;
        readonly state: number;
        readonly iowait: number;
        readonly fdKind: number;
        readonly wakerTgid: number;
        readonly wakerTid: number;
        readonly wakerSyscall: number;
        readonly socket: { cookie: number; tuple: Tuple; listening: number } | undefined;
        readonly file: { inode: number; device: number; fd: number; name: string } | undefined;
      }
    | {
        readonly kind: 'cpu_sample';
        readonly tid: number;
        readonly cpu: number;
        readonly comm: string;
        readonly kernelStack: readonly bigint[];
        readonly userStack: readonly bigint[];
      }
    | { readonly kind: 'proc_exec'; readonly parentTgid: number; readonly comm: string }
    | { readonly kind: 'task_exit'; readonly tid: number; readonly exitCode: number; readonly last: number }
    | {
        readonly kind: 'tls_data';
        readonly tid: number;
        readonly session: number;
        readonly cookie: number;
        readonly start: number;
        readonly position: number;
        readonly length: number;
        readonly turn: number;
        readonly egress: boolean;
        readonly library: number;
        readonly payload: string;
        readonly tail: string;
      }
    | { readonly kind: 'tls_close'; readonly tid: number; readonly session: number; readonly turns: number }
  );

export function readRecords(batch: Pick<Batch, 'view' | 'bytes' | 'length'>): EventRecord[] {
  const records: EventRecord[] = [];
  for (let at = 0; at < batch.length; ) {
    const size = batch.view.getUint32(at + EVENT_HEADER.offset.size, true);
    if (size < EVENT_HEADER.size || size % 8 !== 0 || at + size > batch.length) {
      throw new Error(`record at ${at} has size ${size}`);
    }
    records.push(readRecord(new DataView(batch.view.buffer, batch.view.byteOffset + at, size)));
    at += size;
  }
  return records;
}

function readRecord(view: DataView): EventRecord {
  const u8 = (at: number) => view.getUint8(at);
  const u16 = (at: number) => view.getUint16(at, true);
  const u32 = (at: number) => view.getUint32(at, true);
  const s32 = (at: number) => view.getInt32(at, true);
  const u64 = (at: number) => Number(view.getBigUint64(at, true));
  const text = (at: number, length: number) =>
    Buffer.from(view.buffer, view.byteOffset + at, length).toString('latin1');
  const name = (at: number, length: number) => text(at, length).replace(/\0.*$/s, '');
  const tuple = (at: number): Tuple => ({
    local: address(view, at + SOCKET_TUPLE.offset.localAddress),
    localPort: u16(at + SOCKET_TUPLE.offset.localPort),
    remote: address(view, at + SOCKET_TUPLE.offset.remoteAddress),
    remotePort: u16(at + SOCKET_TUPLE.offset.remotePort),
    family: u16(at + SOCKET_TUPLE.offset.family),
    protocol: u8(at + SOCKET_TUPLE.offset.protocol),
  });
  const kind = u16(EVENT_HEADER.offset.kind);
  const header = {
    flags: u16(EVENT_HEADER.offset.flags),
    size: u32(EVENT_HEADER.offset.size),
    time: u64(EVENT_HEADER.offset.time),
  };
  switch (kind) {
    case EVENT_KIND.NET_DATA: {
      const o = NET_DATA_EVENT.offset;
      return {
        ...header,
        kind: 'net_data',
        tgid: u32(o.tgid),
        tid: u32(o.tid),
        cookie: u64(o.socketCookie),
        position: u32(o.position),
        length: u32(o.length),
        turn: u32(o.turn),
        egress: u8(o.direction) === 1,
        role: u8(o.role),
        tuple: tuple(o.tuple),
        payload: text(NET_DATA_EVENT.size, u16(o.captured)),
        tail: text(o.tail, NET_DATA_EVENT.count.tail),
      };
    }
    case EVENT_KIND.TLS_DATA: {
      const o = TLS_DATA_EVENT.offset;
      return {
        ...header,
        kind: 'tls_data',
        tgid: u32(o.tgid),
        tid: u32(o.tid),
        session: u64(o.session),
        cookie: u64(o.socketCookie),
        start: u64(o.start),
        position: u32(o.position),
        length: u32(o.length),
        turn: u32(o.turn),
        egress: u8(o.direction) === 1,
        library: u8(o.library),
        payload: text(TLS_DATA_EVENT.size, u16(o.captured)),
        tail: text(o.tail, TLS_DATA_EVENT.count.tail),
      };
    }
    case EVENT_KIND.TLS_CLOSE: {
      const o = TLS_CLOSE_EVENT.offset;
      return {
        ...header,
        kind: 'tls_close',
        tgid: u32(o.tgid),
        tid: u32(o.tid),
        session: u64(o.session),
        turns: u32(o.turns),
      };
    }
    case EVENT_KIND.NET_OPEN: {
      const o = NET_OPEN_EVENT.offset;
      return {
        ...header,
        kind: 'net_open',
        tgid: u32(o.tgid),
        tid: u32(o.tid),
        cookie: u64(o.socketCookie),
        connectStart: u64(o.connectStart),
        tuple: tuple(o.tuple),
        role: u8(o.role),
        netns: u32(o.netns),
      };
    }
    case EVENT_KIND.NET_UNIX: {
      const o = NET_UNIX_EVENT.offset;
      return {
        ...header,
        kind: 'net_unix',
        tgid: u32(o.tgid),
        tid: u32(o.tid),
        cookie: u64(o.socketCookie),
        peerCookie: u64(o.peerCookie),
        peerTgid: u32(o.peerTgid),
        role: u8(o.role),
        // The NUL at the end of a path; abstract names begin with one.
        path: text(o.path, u8(o.pathLength)).replace(/(?<=.)\0$/s, ''),
      };
    }
    case EVENT_KIND.NET_TURNS: {
      const o = NET_TURNS_EVENT.offset;
      return {
        ...header,
        kind: 'net_turns',
        tgid: u32(o.tgid),
        cookie: u64(o.socketCookie),
        turns: u32(o.turns),
        tuple: tuple(o.tuple),
      };
    }
    case EVENT_KIND.NET_ERROR: {
      const o = NET_ERROR_EVENT.offset;
      return {
        ...header,
        kind: 'net_error',
        tgid: u32(o.tgid),
        tid: u32(o.tid),
        cookie: u64(o.socketCookie),
        error: s32(o.error),
        egress: u8(o.direction) === 1,
        tuple: tuple(o.tuple),
      };
    }
    case EVENT_KIND.NET_CLOSE: {
      const o = NET_CLOSE_EVENT.offset;
      return {
        ...header,
        kind: 'net_close',
        tgid: u32(o.tgid),
        cookie: u64(o.socketCookie),
        bytesSent: u64(o.bytesSent),
        bytesReceived: u64(o.bytesReceived),
        turns: u32(o.turns),
        error: s32(o.error),
        tuple: tuple(o.tuple),
        oldState: u32(o.oldState),
        connectStart: u64(o.connectStart),
        tid: u32(o.tid),
      };
    }
    case EVENT_KIND.SCHED_WAIT: {
      const o = SCHED_WAIT_EVENT.offset;
      const more = SCHED_WAIT_EVENT.size;
      const fdKind = u8(o.fdKind);
      return {
        ...header,
        kind: 'sched_wait',
        tgid: u32(o.tgid),
        tid: u32(o.tid),
        off: u64(o.off),
        wake: u64(o.wake),
        onBefore: u64(o.onBefore),
        args: [u64(o.args), u64(o.args + 8), u64(o.args + 16)],
        syscall: s32(o.syscall),
        state: u16(o.state),
        iowait: u8(o.iowait),
        fdKind,
        wakerTgid: u32(o.wakerTgid),
        wakerTid: u32(o.wakerTid),
        wakerSyscall: s32(o.wakerSyscall),
        socket:
          fdKind === FD_KIND.SOCKET
            ? {
                cookie: u64(more + WAIT_SOCKET.offset.socketCookie),
                tuple: tuple(more + WAIT_SOCKET.offset.tuple),
                listening: u8(more + WAIT_SOCKET.offset.listening),
              }
            : undefined,
        file:
          fdKind === FD_KIND.FILE || fdKind === FD_KIND.BLOCK
            ? {
                inode: u64(more + WAIT_FILE.offset.inode),
                device: u32(more + WAIT_FILE.offset.device),
                fd: u32(more + WAIT_FILE.offset.fd),
                name: name(more + WAIT_FILE.offset.name, WAIT_FILE.count.name),
              }
            : undefined,
      };
    }
    case EVENT_KIND.CPU_SAMPLE: {
      const o = CPU_SAMPLE_EVENT.offset;
      const stack = (at: number, frames: number) =>
        Array.from({ length: frames }, (_, i) => view.getBigUint64(at + 8 * i, true));
      return {
        ...header,
        kind: 'cpu_sample',
        tgid: u32(o.tgid),
        tid: u32(o.tid),
        cpu: u32(o.cpu),
        comm: name(o.comm, CPU_SAMPLE_EVENT.count.comm),
        kernelStack: stack(o.kernelStack, u16(o.kernelFrames)),
        userStack: stack(o.userStack, u16(o.userFrames)),
      };
    }
    case EVENT_KIND.PROC_EXEC: {
      const o = PROC_EXEC_EVENT.offset;
      return {
        ...header,
        kind: 'proc_exec',
        tgid: u32(o.tgid),
        parentTgid: u32(o.parentTgid),
        comm: name(o.comm, PROC_EXEC_EVENT.count.comm),
      };
    }
    case EVENT_KIND.TASK_EXIT: {
      const o = TASK_EXIT_EVENT.offset;
      return {
        ...header,
        kind: 'task_exit',
        tgid: u32(o.tgid),
        tid: u32(o.tid),
        exitCode: s32(o.exitCode),
        last: u8(o.last),
      };
    }
    default:
      throw new Error(`record of unknown kind ${kind}`);
  }
}

/** "127.0.0.1" for v4-mapped addresses, else eight groups of hex. */
function address(view: DataView, at: number): string {
  const mapped = view.getBigUint64(at) === 0n && view.getUint32(at + 8) === 0xffff;
  if (mapped) return [12, 13, 14, 15].map((i) => view.getUint8(at + i)).join('.');
  return [0, 2, 4, 6, 8, 10, 12, 14].map((i) => view.getUint16(at + i).toString(16)).join(':');
}
