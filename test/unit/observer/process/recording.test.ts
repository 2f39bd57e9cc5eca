import { describe, expect, it } from 'vitest';
import {
  type RecordedLookup,
  RecordedProcessTable,
  RecordedSymbolizer,
} from '../../../../src/observer/process/recorded.js';
import { RecordingProcessTable, RecordingSymbolizer } from '../../../../src/observer/process/recording.js';
import type { ProcessInfo, ProcessTable, SocketTuple, Symbolizer } from '../../../../src/observer/types.js';

const info = (tgid: number, comm: string): ProcessInfo => ({
  tgid,
  startTicks: 1,
  comm,
  executable: `/bin/${comm}`,
  commandLine: [comm],
  serviceName: comm,
  resourceAttributes: { 'container.id': 'x' },
  namespacePid: tgid,
});

const tuple: SocketTuple = {
  family: 'inet',
  localAddress: '127.0.0.1',
  localPort: 1,
  remoteAddress: '127.0.0.1',
  remotePort: 2,
};

class Machine implements ProcessTable, Symbolizer {
  readonly processes = new Map([[1, info(1, 'a')]]);
  readonly invalidated: unknown[] = [];
  name = 'f';
  get(tgid: number) {
    return this.processes.get(tgid);
  }
  threadName(_: number, tid: number) {
    return tid === 5 ? 'worker' : '';
  }
  filePath(_: number, fd: number) {
    return fd === 3 ? '/tmp/x' : undefined;
  }
  socketOwner(t: SocketTuple) {
    return t.localPort === 1 ? 1 : undefined;
  }
  invalidate(tgid: number, ended: boolean) {
    this.invalidated.push([tgid, ended]);
  }
  user(_: number, addresses: readonly bigint[]) {
    return addresses.map((a, i) => `${this.name}${a}${i === 0 ? ' leaf' : ''}`);
  }
  kernel(addresses: readonly bigint[]) {
    return addresses.map((a) => `k${a}`);
  }
}

describe('recording and replay', () => {
  it('gives the same answers from the recording', () => {
    const machine = new Machine();
    const lookups: RecordedLookup[] = [];
    const table = new RecordingProcessTable(machine, (l) => lookups.push(l));
    const symbolizer = new RecordingSymbolizer(machine, (l) => lookups.push(l));
    const ask = (t: ProcessTable, s: Symbolizer) => [
      t.get(1),
      t.get(2),
      t.threadName(1, 5),
      t.threadName(1, 6),
      t.filePath(1, 3, 99),
      t.filePath(1, 4, 99),
      t.socketOwner(tuple),
      t.socketOwner({ ...tuple, localPort: 9 }),
      s.user(1, [10n, 2n ** 63n, 10n]),
      s.kernel([10n]),
    ];
    const live = ask(table, symbolizer);

    const replayed = { table: new RecordedProcessTable(), symbolizer: new RecordedSymbolizer() };
    for (const lookup of JSON.parse(JSON.stringify(lookups)) as RecordedLookup[]) {
      replayed.table.add(lookup);
      replayed.symbolizer.add(lookup);
    }
    expect(ask(replayed.table, replayed.symbolizer)).toEqual(live);
    expect(replayed.symbolizer.user(1, [77n])).toEqual(['[unknown]']);
    expect(replayed.symbolizer.kernel([77n])).toEqual(['[kernel]']);
  });

  it('reports each answer once, and again when it changes', () => {
    const machine = new Machine();
    const kinds: string[] = [];
    const table = new RecordingProcessTable(machine, (l) => kinds.push(l.kind));
    const symbolizer = new RecordingSymbolizer(machine, (l) => kinds.push(l.kind));
    for (let i = 0; i < 3; i++) {
      table.get(1);
      table.get(2);
      table.threadName(1, 5);
      symbolizer.user(1, [1n, 2n]);
    }
    expect(kinds).toEqual(['process', 'thread_name', 'symbols']);
    machine.processes.set(1, info(1, 'b'));
    machine.name = 'g';
    table.get(1);
    symbolizer.user(1, [1n, 2n]);
    expect(kinds.slice(3)).toEqual(['process', 'symbols']);
  });

  it('passes invalidation on', () => {
    const machine = new Machine();
    new RecordingProcessTable(machine, () => {}).invalidate(1, true);
    new RecordingSymbolizer(machine, () => {}).invalidate(2, false);
    expect(machine.invalidated).toEqual([
      [1, true],
      [2, false],
    ]);
  });
});
