import { describe, expect, it } from 'vitest';
import { FeatureGates, GATES, type Gate } from '../../../src/config/feature-gates.js';

const gate = (id: string, stage: Gate['stage'], more: Partial<Gate> = {}): Gate => ({
  id,
  stage,
  from: 'v0.1.0',
  to: 'v0.9.0',
  description: 'It does.',
  hasEffect: true,
  ...more,
});
const SOME = [
  gate('a.stable', 'stable'),
  gate('b.gone', 'deprecated'),
  gate('z.alpha', 'alpha'),
  gate('m.beta', 'beta'),
  gate('q.other', 'beta', { hasEffect: false }),
];
const open = (gates: FeatureGates) => gates.all.filter(({ id }) => gates.isEnabled(id)).map(({ id }) => id);

describe('feature gates', () => {
  it('are as their stage says until the flag says otherwise', () => {
    const gates = new FeatureGates(SOME);
    expect(open(gates)).toEqual(['a.stable', 'm.beta', 'q.other']);
    expect(gates.apply('z.alpha,-m.beta')).toBeUndefined();
    expect(gates.apply('')).toBeUndefined();
    expect(open(gates)).toEqual(['a.stable', 'q.other', 'z.alpha']);
    expect(gates.apply('+m.beta')).toBeUndefined();
    expect(open(gates)).toEqual(['a.stable', 'm.beta', 'q.other', 'z.alpha']);
    expect(gates.warnings).toEqual([]);
  });

  it.each([
    ['nope', 'no such feature gate "nope". valid gates: [a.stable b.gone m.beta q.other z.alpha]'],
    ['-a.stable', 'feature gate "a.stable" is stable, can not be disabled'],
    ['b.gone', 'feature gate "b.gone" is deprecated, can not be enabled'],
    [',', 'empty feature gate identifier at index 0; empty feature gate identifier at index 1'],
    [
      '-a.stable,,x',
      'feature gate "a.stable" is stable, can not be disabled; empty feature gate identifier at index 1; ' +
        'no such feature gate "x". valid gates: [a.stable b.gone m.beta q.other z.alpha]',
    ],
  ])('refuse %j', (flag, problem) => {
    expect(new FeatureGates(SOME).apply(flag)).toBe(problem);
  });

  it('warn of what is needless and of what changes nothing', () => {
    const gates = new FeatureGates(SOME);
    expect(gates.apply('a.stable,-b.gone,q.other,-q.other')).toBeUndefined();
    expect(gates.warnings).toEqual([
      'Feature gate "a.stable" is stable and already enabled. It will be removed in version v0.9.0 and continued use of the gate after version v0.9.0 will result in an error.',
      'Feature gate "b.gone" is deprecated and already disabled. It will be removed in version v0.9.0 and continued use of the gate after version v0.9.0 will result in an error.',
      'Feature gate "q.other" has no effect. It does.',
    ]);
  });

  it('of this build have well-formed ids, each once', () => {
    expect(GATES.filter(({ id }) => !/^[0-9a-zA-Z.]+$/.test(id))).toEqual([]);
    expect(new Set(GATES.map(({ id }) => id)).size).toBe(GATES.length);
  });
});
