import { describe, expect, it } from 'vitest';
import {
  AddonSymbolizer,
  type NativeSymbolizer,
  readableFrame,
  type SymbolizerStats,
} from '../../../src/observer/symbolizer.js';

describe('readableFrame', () => {
  it.each([
    ['JS:*handler file:///path/a.js:12:3', 'handler a.js:12'],
    ["JS:+'handler /path/a.js:12:3", 'handler a.js:12'],
    ['LazyCompile:~name /path/to/b.mjs:1:15', 'name b.mjs:1'],
    ['JS:^get size /srv/my app/c.js:7:1', 'get size c.js:7'],
    ['JS:^ [eval]:3:13', '(anonymous) [eval]:3'],
    ['JS:~ file:///srv/a.js:5:9', '(anonymous) a.js:5'],
    ['Script:~ /srv/a.js:1:1', '(anonymous) a.js:1'],
    ['JS:^processTimers node:internal/timers:504:25', 'processTimers node:internal/timers:504'],
    ['Function:foo', 'foo'],
    ['py::handler:/srv/app/views.py', 'handler views.py'],
    ['Builtin:ArrayPrototypePush', 'Builtin:ArrayPrototypePush'],
    ['BytecodeHandler:LdaZero', 'BytecodeHandler:LdaZero'],
    ['node::Environment::RunTimers', 'node::Environment::RunTimers'],
    ['[libc.so.6]+0x123', '[libc.so.6]+0x123'],
  ])('%s', (name, readable) => {
    expect(readableFrame(name)).toBe(readable);
  });
});

describe('AddonSymbolizer', () => {
  it('hands addresses to the addon and makes names readable', () => {
    const calls: unknown[] = [];
    class Fake implements NativeSymbolizer {
      user(pid: number, addresses: BigUint64Array): string[] {
        calls.push([pid, [...addresses]]);
        return [...addresses].map((a) => `JS:*f${a} /a.js:1:1`);
      }
      kernel(addresses: BigUint64Array): string[] {
        return [...addresses].map(() => 'schedule');
      }
      forget(pid: number, ended: boolean): void {
        calls.push([pid, ended]);
      }
      stats(): SymbolizerStats {
        throw new Error('not asked for');
      }
    }
    const symbolizer = new AddonSymbolizer({ Symbolizer: Fake });
    expect(symbolizer.user(7, [1n, 2n ** 64n - 1n])).toEqual(['f1 a.js:1', 'f18446744073709551615 a.js:1']);
    expect(symbolizer.kernel([1n])).toEqual(['schedule']);
    expect(symbolizer.user(7, [])).toEqual([]);
    symbolizer.invalidate(7, true);
    expect(calls).toEqual([
      [7, [1n, 2n ** 64n - 1n]],
      [7, true],
    ]);
  });
});
