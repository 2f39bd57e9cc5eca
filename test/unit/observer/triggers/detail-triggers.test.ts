import { describe, expect, it } from 'vitest';
import { DetailTriggers } from '../../../../src/observer/triggers/detail-triggers.js';
import { EndpointTable } from '../../../../src/observer/triggers/endpoint-table.js';
import { namePattern } from '../../../../src/observer/triggers/name-pattern.js';
import type { TriggerSpan } from '../../../../src/observer/triggers/trigger-span.js';
import {
  MAX_CATCHES,
  type Trigger,
  type TriggerConfig,
} from '../../../../src/observer/triggers/trigger-types.js';

const MS = 1e6;
const S = 1e9;
const TRACE = '0af7651916cd43dd8448eb211c80319c';

const OFF: TriggerConfig = {
  slowNs: 0,
  aboveP95: false,
  minSamples: 20,
  errors: false,
  names: [],
  traceIds: [],
  baselinePerMinute: 0,
  maxPerSecond: 1000,
  maxEndpoints: 100,
};

const span = (parts: Partial<TriggerSpan> = {}): TriggerSpan => ({
  service: 'shop',
  kind: 2,
  name: 'GET',
  request: 'GET /cart',
  endpoint: 'GET /cart',
  traceId: 'f'.repeat(32),
  durationNs: 10 * MS,
  isError: false,
  ...parts,
});

const choose = (triggers: DetailTriggers, parts: Partial<TriggerSpan> = {}, now = S): Trigger | undefined =>
  triggers.choose(() => span(parts), now);

describe('the choice of spans', () => {
  it('is all without a configuration, and looks at none of them', () => {
    const triggers = new DetailTriggers(undefined);
    const unread = () => expect.unreachable('a span was described');
    expect(triggers.choose(unread, S)).toBe('all');
    expect(triggers.catch({ name: 'x', count: 1, forMs: 1 }, S).refused).toContain('already');
  });

  it('takes nothing when no trigger is on', () => {
    const triggers = new DetailTriggers(OFF);
    expect(choose(triggers, { isError: true, durationNs: 1e12 })).toBeUndefined();
  });

  it.each<[Trigger, Partial<TriggerConfig>, Partial<TriggerSpan>, Partial<TriggerSpan>]>([
    ['slow', { slowNs: 20 * MS }, { durationNs: 20 * MS + 1 }, { durationNs: 20 * MS }],
    ['error', { errors: true }, { isError: true }, {}],
    ['name', { names: ['GET /cart'] }, {}, { request: 'GET /carts' }],
    ['name', { names: ['checkout*'] }, { name: 'checkout.pay' }, { name: 'check' }],
    ['trace_id', { traceIds: [TRACE] }, { traceId: TRACE }, {}],
  ])('takes a span for %s', (trigger, config, taken, left) => {
    const triggers = new DetailTriggers({ ...OFF, ...config });
    expect(choose(triggers, left)).toBeUndefined();
    expect(choose(triggers, taken)).toBe(trigger);
  });

  it('says the most telling of several reasons', () => {
    const config = { ...OFF, slowNs: 1, errors: true, names: ['GET'], traceIds: [TRACE] };
    const parts = { isError: true, traceId: TRACE };
    expect(choose(new DetailTriggers(config), parts)).toBe('trace_id');
    expect(choose(new DetailTriggers({ ...config, traceIds: [] }), parts)).toBe('name');
    expect(choose(new DetailTriggers({ ...config, traceIds: [], names: [] }), parts)).toBe('error');
  });

  it('learns what is slow for each endpoint, without the errors', () => {
    const triggers = new DetailTriggers({ ...OFF, aboveP95: true });
    for (let i = 0; i < 100; i++) {
      choose(triggers, { durationNs: 10 * MS });
      choose(triggers, { endpoint: 'POST /report', durationNs: 900 * MS });
      choose(triggers, { durationNs: 5000 * MS, isError: true });
    }
    expect(choose(triggers, { durationNs: 10 * MS })).toBeUndefined();
    expect(choose(triggers, { durationNs: 30 * MS })).toBe('slow');
    expect(choose(triggers, { endpoint: 'POST /report', durationNs: 850 * MS })).toBeUndefined();
    // Another service, another kind: another endpoint, which is not known yet.
    expect(choose(triggers, { service: 'b', durationNs: 30 * MS })).toBeUndefined();
    expect(choose(triggers, { kind: 3, durationNs: 30 * MS })).toBeUndefined();
  });

  it('samples each endpoint at its rate, errors never', () => {
    const triggers = new DetailTriggers({ ...OFF, baselinePerMinute: 2 });
    const taken: Record<string, number> = {};
    for (let second = 0; second <= 300; second++) {
      for (const endpoint of ['a', 'b']) {
        const trigger = choose(triggers, { endpoint }, second * S);
        if (trigger !== undefined)
          taken[`${endpoint} ${trigger}`] = (taken[`${endpoint} ${trigger}`] ?? 0) + 1;
      }
      expect(choose(triggers, { endpoint: 'a', isError: true }, second * S)).toBeUndefined();
    }
    expect(taken).toEqual({ 'a baseline': 10, 'b baseline': 10 });
  });

  it('refuses what is above the bucket, and counts it by trigger', () => {
    const triggers = new DetailTriggers({ ...OFF, errors: true, names: ['GET'], maxPerSecond: 5 });
    let taken = 0;
    for (let i = 0; i < 20; i++) if (choose(triggers, { isError: true, name: 'x' }) !== undefined) taken++;
    expect(taken).toBe(5);
    expect(choose(triggers, { name: 'GET' })).toBeUndefined();
    expect(triggers.stats()).toMatchObject({ details_refused_error: 15, details_refused_name: 1 });
    expect(choose(triggers, { name: 'GET' }, 1.2 * S)).toBe('name');
  });

  it('counts what was written', () => {
    const triggers = new DetailTriggers(OFF);
    triggers.wrote('slow', 500);
    triggers.wrote('slow', 300);
    expect(triggers.stats()).toMatchObject({
      details_taken_slow: 2,
      details_size_slow: 800,
      details_taken_all: 0,
    });
  });
});

describe('catching the next spans', () => {
  it('takes as many as asked for, whatever the bucket says', () => {
    const triggers = new DetailTriggers({ ...OFF, errors: true, maxPerSecond: 1 });
    choose(triggers, { isError: true });
    const answer = triggers.catch({ name: 'GET /cart', count: 2, forMs: 60_000 }, S);
    expect(answer).toEqual({ waiting: [{ name: 'GET /cart', traceId: undefined, left: 2 }] });
    expect(choose(triggers, { request: 'GET /other' })).toBeUndefined();
    expect([1, 2, 3].map(() => choose(triggers))).toEqual(['catch', 'catch', undefined]);
    expect(triggers.stats().trigger_catches_held).toBe(0);
  });

  it('takes spans that fit both the name and the trace', () => {
    const triggers = new DetailTriggers(OFF);
    triggers.catch({ name: 'GET*', traceId: TRACE, count: 10, forMs: 60_000 }, S);
    expect(choose(triggers)).toBeUndefined();
    expect(choose(triggers, { traceId: TRACE, name: 'q', request: undefined })).toBeUndefined();
    expect(choose(triggers, { traceId: TRACE })).toBe('catch');
  });

  it('ends in time, which begins with the clock', () => {
    const triggers = new DetailTriggers(OFF);
    triggers.catch({ name: 'GET', count: 9, forMs: 10_000 }, 0);
    expect(choose(triggers, {}, 5000 * S)).toBe('catch');
    expect(choose(triggers, {}, 5009 * S)).toBe('catch');
    expect(choose(triggers, {}, 5010 * S)).toBeUndefined();
    expect(triggers.stats().trigger_catches_held).toBe(0);
  });

  it('holds a bounded number of requests', () => {
    const triggers = new DetailTriggers(OFF);
    const request = { name: 'x', count: 1, forMs: 1000 };
    for (let i = 0; i < MAX_CATCHES; i++) expect(triggers.catch(request, S).refused).toBeUndefined();
    expect(triggers.catch(request, S)).toMatchObject({ refused: expect.stringContaining('wait already') });
    expect(triggers.stats().trigger_catches_held).toBe(MAX_CATCHES);
    expect(triggers.catch(request, 3 * S).waiting).toHaveLength(1);
    expect(triggers.catch({ count: 1, forMs: 1 }, 3 * S).refused).toContain('name or a trace id');
  });
});

describe('EndpointTable', () => {
  it('forgets the endpoint that was not used for longest', () => {
    const table = new EndpointTable({ ...OFF, maxEndpoints: 2 });
    const a = table.of('s', 2, 'a');
    const b = table.of('s', 2, 'b');
    expect(table.of('s', 2, 'a')).toBe(a);
    table.of('s', 2, 'c');
    expect(table.of('s', 2, 'a')).toBe(a);
    expect(table.of('s', 2, 'b')).not.toBe(b);
    expect([table.size, table.evicted]).toEqual([2, 2]);
  });

  it('stays within its bound when every span has a name of its own, and none is a baseline', () => {
    const triggers = new DetailTriggers({
      ...OFF,
      aboveP95: true,
      baselinePerMinute: 60_000,
      maxEndpoints: 50,
    });
    for (let i = 0; i < 10_000; i++) {
      expect(choose(triggers, { endpoint: `GET /order/${i}` }, i * MS)).toBeUndefined();
    }
    expect(triggers.stats()).toMatchObject({ trigger_endpoints_held: 50, trigger_endpoints_evicted: 9950 });
  });

  it('keeps the beginning of a long name only', () => {
    const table = new EndpointTable(OFF);
    expect(table.of('s', 2, `${'x'.repeat(200)}1`)).toBe(table.of('s', 2, `${'x'.repeat(200)}2`));
  });
});

describe('namePattern', () => {
  it.each([
    ['GET /*', 'GET /cart', true],
    ['*cart', 'GET /cart', true],
    ['GET*c*t', 'GET /cart', true],
    ['GET*c*c*t', 'GET /cart', false],
    ['a*a', 'a', false],
    ['a**b', 'ab', true],
    ['*', '', true],
    ['a.c', 'abc', false],
  ])('%s and "%s": %s', (pattern, name, expected) => {
    expect(namePattern([pattern])({ name, request: undefined })).toBe(expected);
  });
});
