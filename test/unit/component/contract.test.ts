import { describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../src/component/errors.js';
import type { ExporterFactory, ProcessorFactory } from '../../../src/component/factory.js';
import { COMPONENTS } from '../../../src/components.js';
import { createAll, runThrough, testSignals } from '../../helpers/contract.js';

const name = ({ kind, type }: { kind: string; type: string }) => `${kind} ${type}`;
const never = new AbortController().signal;

describe('the list of components', () => {
  it('has each kind and name once, aliases included', () => {
    const names = COMPONENTS.flatMap((factory) =>
      [factory.type, ...(factory.aliases ?? [])].map((type) => `${factory.kind} ${type}`),
    );
    expect(names).toEqual([...new Set(names)]);
    for (const { type } of COMPONENTS) expect(type).toMatch(/^[a-z][a-z0-9_]*$/);
  });
});

describe.each(COMPONENTS.map((factory) => [name(factory), factory] as const))('%s', (_name, factory) => {
  it('has a description of one sentence', () => {
    expect(factory.description).toMatch(/^[A-Z].*\.$/s);
  });

  it('accepts its default settings, or says clearly what is missing', () => {
    const result = factory.config().safeParse({});
    for (const issue of result.error?.issues ?? []) expect(issue.message.length).toBeGreaterThan(5);
  });

  it('refuses settings that it does not know', () => {
    const result = factory.config().safeParse({ surely_not_a_setting: 1 });
    expect(result.error?.issues.map(({ code }) => code)).toContain('unrecognized_keys');
  });

  it('gives each caller a schema of its own', () => {
    expect(factory.config()).not.toBe(factory.config());
  });

  it('stops without having been started, and twice', async () => {
    for (const component of createAll(factory)) {
      await component.shutdown(never);
      await component.shutdown(never);
      await component.shutdown(AbortSignal.abort());
    }
  });
});

const processors = COMPONENTS.filter((factory): factory is ProcessorFactory => factory.kind === 'processor');
const exporters = COMPONENTS.filter((factory): factory is ExporterFactory => factory.kind === 'exporter');
const cases = <F extends ProcessorFactory | ExporterFactory>(factories: readonly F[]) =>
  factories.flatMap((factory) =>
    testSignals(factory).map((signal) => [name(factory), signal, factory] as const),
  );

describe.each(cases(processors))('%s of %s', (_name, signal, factory) => {
  it('delivers everything that it accepted before it was stopped, and nothing after', async () => {
    const { harness, accepted } = await runThrough(factory, signal, () => {});
    const delivered = () => harness.out().reduce((sum, { itemCount }) => sum + itemCount, 0);
    expect(accepted).toBe(15);
    expect(delivered()).toBe(15);
    await new Promise((resolve) => setImmediate(resolve));
    expect(delivered()).toBe(15);
    expect(
      harness.agent.snapshot().accounts.filter(({ unaccounted, held }) => unaccounted !== 0 || held !== 0),
    ).toEqual([]);
  });

  it.each([
    ['for good', () => new PermanentError('no')],
    ['for now', () => new RetryableError('later')],
    ['in an unexpected way', () => new TypeError('bug')],
    ['now and then', (call: number) => (call % 2 === 0 ? new RetryableError('later') : undefined)],
  ])('accounts for every item when what follows fails %s', async (_how, failure) => {
    let calls = 0;
    let failed = 0;
    const { harness } = await runThrough(factory, signal, () => {
      const error = failure(calls++);
      if (error === undefined) return;
      failed++;
      throw error;
    });
    expect(failed).toBeGreaterThan(0);
    const { accounts } = harness.agent.snapshot();
    expect(accounts.filter(({ unaccounted, held }) => unaccounted !== 0 || held !== 0)).toEqual([]);
    expect(accounts.find(({ component }) => component.id === factory.type)?.received).toBeGreaterThan(0);
  });
});

describe.each(cases(exporters))('%s of %s', (_name, signal, factory) => {
  it('accounts for every item, also when its peer is not there', async () => {
    const { harness } = await runThrough(factory, signal, () => {});
    const account = harness.account(factory.type, 'exporter');
    expect(account).toMatchObject({ received: 15, held: 0, unaccounted: 0 });
  });

  it('accounts for what comes after it was stopped', async () => {
    const { harness } = await runThrough(factory, signal, () => {}, { batches: 1 });
    await harness
      .next(signal)
      .consume({ signal, bytes: new Uint8Array(), itemCount: 1, origin: { receiver: 'in' } })
      .catch(() => {});
    expect(harness.account(factory.type, 'exporter')).toMatchObject({ held: 0, unaccounted: 0 });
  });
});
