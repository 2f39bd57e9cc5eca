import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Batch } from '../../../src/component/signal.js';
import { createJoinEngine } from '../../../src/observer/join-engine.js';
import { JOIN_CONFIG_KEY, OBSERVER_KEY } from '../../../src/observer/observer-service.js';
import { RECORDING_FORMAT, RECORDING_VERSION } from '../../../src/observer/recording-format.js';
import { readRecording } from '../../../src/observer/recording-reader.js';
import { RecordingWriter } from '../../../src/observer/recording-writer.js';
import { toHex } from '../../../src/otlp/ids.js';
import { addNs } from '../../../src/otlp/time.js';
import { TracesWriter } from '../../../src/otlp/trace-writer.js';
import { ABI_HASH } from '../../../src/receiver/ebpf/abi.gen.js';
import { replayConfig } from '../../../src/receiver/replay/config.js';
import { ReplayReceiver } from '../../../src/receiver/replay/replay.js';
import { NOP_LOGGER } from '../../../src/telemetry/logger.js';
import { testHost } from '../../helpers/host.js';
import { InlineObserver, OFFSET, TEST_OPTIONS } from '../../helpers/observer.js';
import { RecordedMetrics } from '../../helpers/recorded-metrics.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';
const TRACED = `GET /b HTTP/1.1\r\nHost: a\r\ntraceparent: 00-${TRACE}-b7ad6b7169203331-01\r\n\r\n`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const HEADER = {
  format: RECORDING_FORMAT,
  version: RECORDING_VERSION,
  abiHash: ABI_HASH,
  agentVersion: '0',
  idSeed: TEST_OPTIONS.idSeed,
  kernelRelease: '6',
  machine: 'x86_64',
  cpus: 2,
  hostName: 'localhost',
} as const;

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recording-'));
  file = join(folder, 'run.kindling');
});
afterEach(() => rmSync(folder, { recursive: true }));

const writer = (maxBytes = 1e9) =>
  new RecordingWriter({ path: file, maxBytes, hostName: 'secret-host' }, HEADER, NOP_LOGGER);

/** A span that an SDK in the server process made of the request that carried `TRACED`. */
function sdkBatch(time: number): Uint8Array {
  const traces = new TracesWriter();
  traces.resource({ 'service.name': 'server', 'host.name': 'secret-host' });
  traces.scope('sdk');
  traces.span({
    traceId: TRACE,
    spanId: '1111111111111111',
    parentSpanId: 'b7ad6b7169203331',
    name: 'GET /b',
    kind: 2,
    startTime: addNs(OFFSET, time),
    endTime: addNs(OFFSET, time + 30_000),
  });
  return traces.finish();
}

/** Records a run with both kinds of spans; gives what the live observer handed out. */
async function record(): Promise<InlineObserver> {
  const recording = writer();
  const live = new InlineObserver({}, createJoinEngine, recording);
  live.exchange(1, GET, OK);
  live.advance(20);
  const time = live.model.time;
  live.exchange(2, TRACED, OK);
  live.advance(20);
  live.observer.query(1, sdkBatch(time), { receiver: 'otlp' });
  for (let i = 0; i < 1000; i++) live.advance(20);
  live.observer.flush();
  await recording.close();
  return live;
}

/** Replays `file` through a stand-in for `trace_profiling` and collects what comes out, in order. */
async function replay(settings: object = {}) {
  const out: string[] = [];
  const host = testHost();
  const metrics = new RecordedMetrics();
  host.provide(JOIN_CONFIG_KEY, TEST_OPTIONS.join);
  const receiver = new ReplayReceiver(
    { id: 'replay', logger: NOP_LOGGER, metrics, now: Date.now },
    replayConfig().parse({ file, ...settings }),
    {
      traces: {
        consume: async (batch: Batch) => {
          if (batch.origin.joined) {
            out.push(`kernel ${batch.itemCount} ${toHex(batch.bytes)}`);
            return;
          }
          const edits = await host.service(OBSERVER_KEY)!.join(batch.bytes, batch.origin);
          const text = edits.map(({ offset, fields }) => `${offset}:${toHex(fields)}`).join();
          out.push(`sdk ${batch.origin.receiver} ${toHex(batch.bytes)} ${text}`);
        },
      },
    },
  );
  await receiver.start(host);
  return { out, host, receiver, metrics };
}

const ended = async (host: ReturnType<typeof testHost>) => {
  await expect.poll(() => host.stops.length + host.fatals.length, { timeout: 5000 }).toBeGreaterThan(0);
  expect(host.fatals).toEqual([]);
};

describe('recording and replay', () => {
  it('hands out what the live run did, the same each time', async () => {
    const live = await record();
    const runs = [];
    for (let i = 0; i < 2; i++) {
      const { out, host, receiver, metrics } = await replay();
      await ended(host);
      await receiver.shutdown(AbortSignal.timeout(1000));
      expect(metrics.allDropped).toBe(0);
      expect(metrics.receivedItems).toBeGreaterThan(0);
      runs.push(out);
    }
    expect(runs[0]!.length).toBeGreaterThan(1);
    expect(runs[1]).toEqual(runs[0]);
    const kernelLive = live.batches.map(({ bytes, itemCount }) => `kernel ${itemCount} ${toHex(bytes)}`);
    expect(kernelLive.length).toBeGreaterThan(0);
    // The scope's version is the agent's own and differs from that of the test's options.
    const kernelReplayed = runs[0]!.filter((line) => line.startsWith('kernel'));
    expect(kernelReplayed.map((line) => line.split(' ')[1])).toEqual(
      kernelLive.map((line) => line.split(' ')[1]),
    );
    expect(live.answers).toHaveLength(1);
    const sdk = runs[0]!.filter((line) => line.startsWith('sdk otlp'));
    expect(sdk).toHaveLength(1);
  });

  it('names no machine', async () => {
    await record();
    const plain = gunzipSync(readFileSync(file));
    expect(plain.includes('secret-host')).toBe(false);
    expect(plain.includes('localhostlo')).toBe(true);
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it('stops at its largest size and stays readable', async () => {
    const recording = writer(20_000);
    let seed = 1;
    const noise = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return seed >>> 24;
    };
    for (let i = 0; i < 500; i++) {
      const bytes = Uint8Array.from({ length: 4096 }, noise);
      recording.records(bytes, bytes.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await recording.close();
    expect(statSync(file).size).toBeLessThan(500 * 4096);
    let frames = 0;
    for await (const _ of readRecording(file)) frames++;
    expect(frames).toBeGreaterThan(1);
    expect(frames).toBeLessThan(500);
  });

  it('reads what a killed recorder left', async () => {
    await record();
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.length - 40));
    const kinds: string[] = [];
    for await (const frame of readRecording(file)) kinds.push(frame.kind);
    expect(kinds[0]).toBe('header');
  });

  it('refuses what is no recording, or not there', async () => {
    await expect(replay()).rejects.toThrow(/cannot be read/);
    writeFileSync(file, 'hello');
    await expect(replay()).rejects.toThrow(/is not a recording/);
    expect(existsSync(file)).toBe(true);
  });

  it('starts over with new ids when it loops', async () => {
    await record();
    const { out, host, receiver } = await replay({ loop: true });
    const kernel = () => out.filter((line) => line.startsWith('kernel'));
    await expect.poll(() => kernel().length, { timeout: 5000 }).toBeGreaterThan(3);
    await receiver.shutdown(AbortSignal.timeout(1000));
    expect(host.stops).toEqual([]);
    expect(new Set(kernel()).size).toBeGreaterThan(1);
  });
});
