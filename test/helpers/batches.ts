import type { Settings } from '../../src/component/component.js';
import type { Batch, Signal } from '../../src/component/signal.js';
import { type AccountLine, type ComponentIdentity, MetricsRegistry } from '../../src/telemetry/registry.js';
import { CaptureLogger } from './capture-logger.js';

/**
 * An OTLP request with `itemCount` spans (or log records, which have the same nesting) that hold nothing but a name (or
 * body), or gauges with an empty data point:
 * field 1 (resource group) > field 2 (scope group) > field 2 (item) > field 5 (name, body, gauge).
 */
export function batchOf<S extends Signal = 'traces'>(
  itemCount: number,
  signal: S = 'traces' as S,
  receiver = 'test',
): Batch<S> {
  const content = { traces: [0x78], logs: [0x0a, 1, 0x78], metrics: [0x0a, 0], profiles: [] }[
    signal as Signal
  ];
  const item = field(2, field(5, Uint8Array.from(content)));
  const items = concat(Array.from({ length: itemCount }, () => item));
  return { signal, bytes: field(1, field(2, items)), itemCount, origin: { receiver } };
}

function field(number: number, payload: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let rest = payload.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return concat([Uint8Array.from([(number << 3) | 2, ...length]), payload]);
}

const concat = (parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

export interface TestSettings extends Settings {
  readonly logger: CaptureLogger;
  /** Accounting so far, one line for each unit. */
  readonly accounts: () => readonly AccountLine[];
}

/** Settings whose logs and numbers a test can look at. */
export function testSettings(
  identity: ComponentIdentity = { kind: 'exporter', id: 'test' },
  now: () => number = Date.now,
): TestSettings {
  const registry = new MetricsRegistry();
  return {
    id: identity.id,
    logger: new CaptureLogger(),
    metrics: registry.account(identity).own,
    now,
    accounts: () => registry.snapshot().accounts,
  };
}
