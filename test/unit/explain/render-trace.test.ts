import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, renderTrace } from '../../../src/explain/render-trace.js';
import { detectStyle, type Style } from '../../../src/explain/style.js';
import { explainTrace, readSpans } from '../../../src/explain/trace-explanation.js';
import { SpanKind } from '../../../src/otlp/span-constants.js';
import { LOCK_TRACE_ID, lockTrace, spanBatch } from '../../helpers/enriched-trace.js';

const START = 1_700_000_000_000;
const ASCII: Style = { width: 100, color: false, unicode: false };
const render = (batches: Uint8Array[], style: Style, limits = DEFAULT_LIMITS): string[] => {
  const trace = explainTrace([...readSpans(batches, () => true).values()][0] ?? []);
  if (trace === undefined) throw new Error('no spans');
  return renderTrace(trace, style, limits);
};

describe('renderTrace', () => {
  it('explains a lock as plain ASCII', () => {
    expect(render(lockTrace(START), ASCII)).toMatchInlineSnapshot(`
      [
        "GET /stock/{id} in shop  121 ms",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736   122 ms   4 spans   3 services   2023-11-14 22:13:20.000 UTC",
        "",
        "Why: GET /stock/{id} in shop waited 118 ms (98 %) for GET /stock/{id} in inventory, which waited",
        "     109 ms (94 %) for a lock that stock-clerk (4712) of inventory (4701) released.",
        "",
        "service    span                      duration  0                                           122 ms",
        "load       client GET                  122 ms  --------------------------------------------------",
        "shop       \`- GET /stock/{id}          121 ms  CiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiC",
        "shop          \`- client GET            119 ms  --------------------------------------------------",
        "inventory        \`- GET /stock/{id}    116 ms   LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLDDC  <-",
        "                                               C on-CPU   L lock   D disk   i idle",
        "",
        "GET /stock/{id} in shop  121 ms  server  /stock/1007  status 200",
        "  idle            118 ms    98 %  ################################################################",
        "  on-CPU         2.31 ms   1.9 %  #",
        "  run queue       120 us  <0.1 %  #",
        "  longest waits",
        "      118 ms  idle          at  1.40 ms  in epoll_wait()",
        "  joined with confidence 0.95, by traceparent, same_thread, thread 4701",
        "",
        "GET /stock/{id} in inventory  116 ms  server  /stock/1007  status 200",
        "  lock            109 ms    94 %  #############################################################",
        "  disk           3.10 ms   2.7 %  ##",
        "  on-CPU         1.90 ms   1.6 %  #",
        "  unattributed   1.69 ms   1.5 %  #",
        "  run queue       310 us   0.3 %  #",
        "  longest waits",
        "      109 ms  lock          at   900 us  released by stock-clerk (4712) of inventory (4701), futex",
        "                                         0x7f12ab340010",
        "     2.40 ms  disk          at   111 ms  /srv/inventory/shelf.db, in fsync()",
        "      700 us  disk          at   110 ms  9 stretches, the longest 100 us",
        "  hottest stack (4 of 6 samples)",
        "    handleRequest (inventory.mjs:30) > countOnShelf (inventory.mjs:21)",
        "  joined with confidence 0.95, by traceparent, same_thread, thread 4701",
        "",
        "2 spans without kernel detail: not from a watched local process, or not joined.",
      ]
    `);
  });

  it.each([60, 80, 100, 140])('keeps every line within %d columns', (width) => {
    for (const unicode of [true, false]) {
      for (const line of render(lockTrace(START), { width, color: false, unicode })) {
        expect([...line].length, line).toBeLessThanOrEqual(width);
      }
    }
  });

  it('uses escape codes for colour only, and says the same without them', () => {
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
    const colored = render(lockTrace(START), { ...ASCII, color: true }).join('\n');
    expect(colored).toMatch(escapes);
    expect(colored.replace(escapes, '')).toBe(render(lockTrace(START), ASCII).join('\n'));
  });

  it('shows the longest spans of a huge trace and says how many are missing', () => {
    const batches = Array.from({ length: 500 }, (_, i) =>
      spanBatch({
        traceId: LOCK_TRACE_ID,
        spanId: (i + 1).toString(16).padStart(16, '0'),
        ...(i === 0 ? {} : { parentSpanId: '0000000000000001' }),
        service: 'shop',
        name: `step ${i}`,
        kind: i === 0 ? SpanKind.server : SpanKind.internal,
        startMs: START,
        durationMs: 1000 - i,
      }),
    );
    const lines = render(batches, ASCII);
    expect(lines.length).toBeLessThan(60);
    expect(lines.join('\n')).toContain('460 shorter spans not shown; use --all');
    expect(lines.join('\n')).toContain('step 39 ');
  });

  it('neutralises escape codes in names', () => {
    const [batch] = [
      spanBatch({
        traceId: LOCK_TRACE_ID,
        spanId: '0000000000000001',
        service: 'a\u001b]0;title\u0007',
        name: 'GET \u001b[2J',
        kind: SpanKind.server,
        startMs: START,
        durationMs: 10,
        breakdown: { cpu: 10 },
        hotStack: 'x\u001b[31m',
      }),
    ];
    expect(render([batch], ASCII).join('')).not.toContain('\u001b');
  });
});

describe('detectStyle', () => {
  const utf8 = { LANG: 'en_US.UTF-8' };
  it.each([
    ['terminal', { isTty: true, columns: 120, env: utf8 }, { width: 120, color: true, unicode: true }],
    [
      'NO_COLOR',
      { isTty: true, columns: 120, env: { ...utf8, NO_COLOR: '1' } },
      { width: 120, color: false, unicode: true },
    ],
    ['pipe', { isTty: false, columns: undefined, env: utf8 }, { width: 100, color: false, unicode: true }],
    [
      'pipe with COLUMNS',
      { isTty: false, columns: undefined, env: { COLUMNS: '72' } },
      { width: 72, color: false, unicode: false },
    ],
    [
      'C locale over LANG',
      { isTty: false, columns: undefined, env: { ...utf8, LC_ALL: 'C' } },
      { width: 100, color: false, unicode: false },
    ],
    [
      'very wide',
      { isTty: true, columns: 400, env: { TERM: 'dumb' } },
      { width: 140, color: false, unicode: false },
    ],
  ])('%s', (_name, traits, style) => expect(detectStyle(traits)).toEqual(style));
});
