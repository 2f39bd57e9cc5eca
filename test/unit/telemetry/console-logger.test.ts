import { describe, expect, it } from 'vitest';
import { Opaque } from '../../../src/config/opaque.js';
import { ConsoleLogger, type ConsoleLoggerOptions } from '../../../src/telemetry/console-logger.js';

function create(options: Partial<ConsoleLoggerOptions> = {}) {
  const lines: string[] = [];
  const clock = { ms: Date.UTC(2026, 10, 21, 2, 10, 27, 547) };
  const logger = ConsoleLogger.create({
    level: 'info',
    encoding: 'console',
    write: (line) => lines.push(line),
    now: () => clock.ms,
    ...options,
  });
  return { lines, clock, logger };
}

describe('ConsoleLogger', () => {
  it('writes the console form of the Collector', () => {
    const { lines, logger } = create();
    logger
      .child({ 'otelcol.component.id': 'otlp' })
      .info('Starting GRPC server', { endpoint: 'localhost:4317' });
    logger.info('Everything is ready. Begin running and processing data.');
    expect(lines).toEqual([
      '2026-11-21T02:10:27.547Z\tinfo\tStarting GRPC server\t{"otelcol.component.id":"otlp","endpoint":"localhost:4317"}\n',
      '2026-11-21T02:10:27.547Z\tinfo\tEverything is ready. Begin running and processing data.\n',
    ]);
  });

  it('writes one JSON object per line', () => {
    const { lines, logger } = create({ encoding: 'json' });
    logger.warn('Slow.', { took: 5 });
    expect(JSON.parse(lines[0]!)).toEqual({
      level: 'warn',
      ts: '2026-11-21T02:10:27.547Z',
      msg: 'Slow.',
      took: 5,
    });
  });

  it('leaves out what is below its level', () => {
    const { lines, logger } = create({ level: 'warn' });
    logger.debug('a');
    logger.info('b');
    logger.error('c');
    expect(lines).toHaveLength(1);
  });

  it('survives any field and shows no secret', () => {
    const { lines, logger } = create();
    const circle: Record<string, unknown> = {
      big: 2n ** 60n,
      secret: new Opaque('hush'),
      error: new Error('boom'),
    };
    circle.self = circle;
    const shared = { n: 1 };
    logger.info('Odd.', { circle, twice: [shared, shared] });
    expect(lines[0]).toContain('"big":"1152921504606846976"');
    expect(lines[0]).toContain('"error":"boom"');
    expect(lines[0]).toContain('[circular]');
    expect(lines[0]).toContain('"twice":[{"n":1},{"n":1}]');
    expect(lines[0]).not.toContain('hush');
  });

  it('thins out repeats per component and says how many it left out', () => {
    const { lines, clock, logger } = create({ repeats: { tickMs: 10_000, initial: 2, thereafter: 3 } });
    for (let i = 0; i < 8; i++) logger.info('Again.');
    expect(lines.map((line) => line.split('\t')[3]?.trim())).toEqual([
      undefined,
      undefined,
      '{"suppressed":2}',
      '{"suppressed":2}',
    ]);
    logger.child({ 'otelcol.component.id': 'other' }).info('Again.');
    expect(lines).toHaveLength(5);
    logger.info('Again.');
    expect(lines).toHaveLength(5);
    clock.ms += 10_000;
    logger.info('Again.');
    expect(lines.at(-1)).toContain('{"suppressed":1}');
  });
});
