import { describe, expect, it } from 'vitest';
import { traceProfilingConfig } from '../../../../src/processors/trace_profiling/config.js';
import { toTriggerConfig } from '../../../../src/processors/trace_profiling/triggers-config.js';

const parse = (triggers: unknown) => traceProfilingConfig().safeParse({ triggers });

describe('triggers of trace_profiling', () => {
  it('are off by default: every span gets its details', () => {
    expect(toTriggerConfig(traceProfilingConfig().parse({}).triggers)).toBeUndefined();
    expect(toTriggerConfig(parse({ slow: { threshold: '1s' } }).data!.triggers)).toBeUndefined();
  });

  it('become plain data in nanoseconds', () => {
    const { data } = parse({
      mode: 'selected',
      slow: { threshold: '250ms' },
      trace_ids: ['0AF7651916CD43DD8448EB211C80319C'],
    });
    expect(toTriggerConfig(data!.triggers)).toEqual({
      slowNs: 250e6,
      aboveP95: true,
      minSamples: 100,
      errors: true,
      names: [],
      traceIds: ['0af7651916cd43dd8448eb211c80319c'],
      baselinePerMinute: 1,
      maxPerSecond: 100,
      maxEndpoints: 2000,
    });
  });

  it.each([
    [{ mode: 'some' }, 'mode'],
    [{ slow: { threshold: '-1s' } }, "'slow::threshold' must not be negative"],
    [{ slow: { min_samples: 5000 } }, 'min_samples'],
    [{ trace_ids: ['abc'] }, '"abc" is not 32 hex digits'],
    [{ names: [''] }, 'names'],
    [{ max_per_second: 0 }, 'max_per_second'],
    [{ slower: true }, 'slower'],
  ])('refuse %j', (triggers, text) => {
    const { success, error } = parse(triggers);
    expect(success).toBe(false);
    expect(JSON.stringify(error!.issues).replaceAll('\\\\', '').replaceAll('\\"', '"')).toContain(text);
  });
});
