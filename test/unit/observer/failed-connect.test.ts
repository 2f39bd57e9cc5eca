import { describe, expect, it } from 'vitest';
import { closeRecord } from '../../helpers/kernel-records.js';
import { InlineObserver } from '../../helpers/observer.js';

const SYN_SENT = 2;
const SERVER = { local: ['10.0.0.1', 0], remote: ['10.0.0.2', 5432] } as const;

function fail(error: number, cookie = 7): InlineObserver {
  const observer = new InlineObserver();
  const { time } = observer.model;
  const record = closeRecord({
    cookie,
    turns: 0,
    error,
    time: time + 3_000_000,
    connectStart: time,
    oldState: SYN_SENT,
    tgid: 100,
    tuple: SERVER,
  });
  observer.observer.records(record, record.length);
  observer.observer.flush();
  return observer;
}

describe('a connect() that fails', () => {
  it('is a client span that says why, as long as the call took', () => {
    for (const [error, type] of [
      [111, 'connection_refused'],
      [110, 'timeout'],
      [113, 'host_unreachable'],
      [104, 'reset'],
      [99, 'connect_failed'],
      [0, 'connect_abandoned'],
    ] as const) {
      const observer = fail(error);
      const { spans } = observer;
      expect(spans).toHaveLength(1);
      expect(spans[0]).toMatchObject({
        name: 'connect',
        kind: 3,
        attributes: {
          'server.address': '10.0.0.2',
          'server.port': 5432,
          'network.peer.address': '10.0.0.2',
          'network.transport': 'tcp',
          'error.type': type,
          'kindling.source': 'kernel',
        },
      });
      expect(spans[0]!.endTimeUnixNano - spans[0]!.startTimeUnixNano).toBe(3_000_000n);
      expect(spans[0]!.attributes['network.protocol.name']).toBeUndefined();
      expect(observer.observer.stats()).toMatchObject({ [`connects_failed_${type}`]: 1, exchanges_held: 0 });
    }
  });

  it('has a trace of its own, the same in a replay', () => {
    const [first] = fail(111).spans;
    expect(fail(111).spans[0]!.traceId).toBe(first!.traceId);
    expect(fail(111, 8).spans[0]!.traceId).not.toBe(first!.traceId);
  });
});
