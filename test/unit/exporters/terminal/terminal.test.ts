import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { terminalConfig } from '../../../../src/exporters/terminal/config.js';
import type { TerminalOutput } from '../../../../src/exporters/terminal/output.js';
import { TerminalExporter } from '../../../../src/exporters/terminal/terminal.js';
import { NOP_LOGGER } from '../../../../src/telemetry/logger.js';
import { LOCK_TRACE_ID, lockTrace } from '../../../helpers/enriched-trace.js';
import { RecordedMetrics } from '../../../helpers/recorded-metrics.js';

const ESCAPE = '\u001b';

class FakeOutput implements TerminalOutput {
  readonly isTty: boolean;
  readonly columns = 100;
  readonly rows = 30;
  isBusy = false;
  text = '';

  constructor(isTty: boolean) {
    this.isTty = isTty;
  }
  write(text: string): void {
    this.text += text;
  }
  async drain(): Promise<void> {}
  writeLast(text: string): void {
    this.text += text;
  }
  /** What was written since the last call. */
  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}

beforeEach(() => vi.useFakeTimers({ now: 1_700_000_000_000 }));
afterEach(() => vi.useRealTimers());

const start = async (isTty: boolean, config: Record<string, unknown> = {}) => {
  const output = new FakeOutput(isTty);
  const metrics = new RecordedMetrics();
  const settings = { id: 'terminal', logger: NOP_LOGGER, metrics, now: Date.now };
  const env = { LANG: 'C', TERM: 'xterm' };
  const exporter = new TerminalExporter(settings, terminalConfig().parse(config), output, env);
  await exporter.start();
  const give = async (bytes: Uint8Array): Promise<void> =>
    exporter.consume({ signal: 'traces', bytes, itemCount: 1, origin: { receiver: 'otlp' } });
  const giveTrace = async (id?: string): Promise<void> => {
    for (const bytes of lockTrace(Date.now() - 200, id)) await give(bytes);
  };
  return { output, metrics, exporter, give, giveTrace };
};

describe('terminal exporter to a file', () => {
  it('prints a block each interval, without escape codes, and nothing when nothing changed', async () => {
    const { output, exporter, giveTrace } = await start(false, { explain: 'never' });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(output.take()).toBe('');
    await giveTrace();
    await vi.advanceTimersByTimeAsync(10_000);
    const block = output.take();
    expect(block).not.toContain(ESCAPE);
    expect(block).toMatch(
      /^inventory +GET \/stock\/\{id\} +0\.0 +- +116 ms +116 ms +116 ms +L{19}D +94% lock {2}3% disk/m,
    );
    expect(block).toMatch(/^shop +GET \/stock\/\{id\}.*98% idle/m);
    expect(block).not.toMatch(/^load/m);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(output.take()).toBe('');
    await exporter.shutdown(new AbortController().signal);
    expect(output.take()).toBe('');
  });

  it('explains one slow request, once, when the spans of all its services are there', async () => {
    const { output, exporter, giveTrace, give } = await start(false);
    const [load, shop, client, inventory] = lockTrace(Date.now() - 200);
    await give(load!);
    await give(shop!);
    await vi.advanceTimersByTimeAsync(1000);
    expect(output.take()).toBe('');
    await give(client!);
    await give(inventory!);
    await vi.advanceTimersByTimeAsync(3000);
    const text = output.take();
    expect(text).toContain('One slow request, explained:');
    expect(text.replace(/\s+/g, ' ')).toContain(
      'for a lock that stock-clerk (4712) of inventory (4701) released',
    );
    expect(text).toContain(`bin/kindling trace ${LOCK_TRACE_ID}`);
    expect(text).not.toContain(ESCAPE);
    await giveTrace('a'.repeat(32));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(output.take()).not.toContain('explained');
    await exporter.shutdown(new AbortController().signal);
  });

  it('explains what it has when the agent stops before that', async () => {
    const { output, exporter, giveTrace } = await start(false);
    await giveTrace();
    await exporter.shutdown(new AbortController().signal);
    expect(output.take()).toContain(`bin/kindling trace ${LOCK_TRACE_ID}`);
  });

  it('counts what is not OTLP and goes on', async () => {
    const { metrics, give, giveTrace, exporter } = await start(false);
    await give(Buffer.from('ff'));
    await giveTrace();
    expect(metrics).toMatchObject({
      receivedItems: 5,
      sentItems: 4,
      droppedItems: { malformed: 1 },
      unaccounted: 0,
    });
    await exporter.shutdown(new AbortController().signal);
    await exporter.shutdown(new AbortController().signal);
  });
});

describe('terminal exporter on a terminal', () => {
  it('redraws in place, and gives the cursor back at the end', async () => {
    const { output, exporter, giveTrace } = await start(true, { explain: 'never' });
    const first = output.take();
    expect(first).toContain(`${ESCAPE}[?25l`);
    expect(first).toContain('no requests seen yet');
    await giveTrace();
    await vi.advanceTimersByTimeAsync(2000);
    const frame = output.take();
    expect(frame.startsWith(`\r${ESCAPE}[J`)).toBe(true);
    const height = frame.split('\n').length - 1;
    expect(frame.endsWith(`${ESCAPE}[${height}A\r`)).toBe(true);
    expect(frame).not.toContain(`${ESCAPE}[?1049h`);
    await exporter.shutdown(new AbortController().signal);
    expect(output.take().endsWith(`${ESCAPE}[${height}B\r\n${ESCAPE}[?25h`)).toBe(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(output.take()).toBe('');
  });

  it('never draws more lines than the terminal has', async () => {
    const { output, exporter, give } = await start(true, { explain: 'never', top: 200 });
    for (let i = 0; i < 100; i += 1) {
      const bytes = Buffer.from(lockTrace(Date.now())[1]!);
      const at = bytes.lastIndexOf('/stock/{id}');
      bytes.write(`/st${String(i).padStart(3, 'x')}`, at, 'latin1');
      await give(bytes);
    }
    output.take();
    await vi.advanceTimersByTimeAsync(2000);
    expect(output.take().split('\n').length).toBeLessThanOrEqual(output.rows - 1);
    await exporter.shutdown(new AbortController().signal);
  });

  it('skips frames while the terminal does not keep up', async () => {
    const { output, exporter, giveTrace } = await start(true, { explain: 'never' });
    output.take();
    output.isBusy = true;
    await giveTrace();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(output.take()).toBe('');
    await exporter.shutdown(new AbortController().signal);
  });

  it('does nothing at shutdown when it was never started', async () => {
    const output = new FakeOutput(true);
    const settings = { id: 'terminal', logger: NOP_LOGGER, metrics: new RecordedMetrics(), now: Date.now };
    const exporter = new TerminalExporter(settings, terminalConfig().parse({}), output, {});
    await exporter.shutdown(new AbortController().signal);
    expect(output.text).toBe('');
  });
});
