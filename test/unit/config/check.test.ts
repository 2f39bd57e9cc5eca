import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineConnector, defineExporter, defineReceiver } from '../../../src/component/factory.js';
import { COMPONENTS } from '../../../src/components.js';
import { checkConfig } from '../../../src/config/check.js';
import { loadConfig } from '../../../src/config/load.js';
import { formatProblems, type Problem } from '../../../src/config/problem.js';
import { checkGraph } from '../../../src/pipeline/check-graph.js';

const idle = { start: async () => {}, shutdown: async () => {}, consume: async () => {} };
const FACTORIES = [
  ...COMPONENTS.filter(({ type }) => ['nop', 'batch', 'memory_limiter', 'forward'].includes(type)),
  defineReceiver({
    type: 'only_traces',
    aliases: ['onlytraces'],
    stability: 'beta',
    description: '',
    signals: ['traces'],
    config: () => z.strictObject({ port: z.int().default(1) }),
    create: () => idle,
  }),
  defineExporter({
    type: 'twin',
    stability: 'beta',
    description: '',
    signals: ['traces'],
    config: () => z.strictObject({}),
    create: () => idle,
  }),
  defineConnector({
    type: 'twin',
    stability: 'beta',
    description: '',
    routes: [{ from: 'traces', to: 'metrics' }],
    config: () => z.strictObject({}),
    create: () => idle,
  }),
];

async function check(yaml: string) {
  const root = await loadConfig({ uris: [`yaml:${yaml}`] }, { env: {}, note: () => {} });
  const checked = checkConfig(root, FACTORIES);
  const problems: readonly Problem[] = checked.ok ? checkGraph(checked.config) : checked.problems;
  return { checked, problems };
}

/** A good configuration, whose sections a test replaces. */
function yaml(
  over: Partial<Record<'receivers' | 'processors' | 'exporters' | 'connectors' | 'service', string>>,
) {
  const sections = {
    receivers: '{nop: }',
    exporters: '{nop: }',
    service: '{pipelines: {traces: {receivers: [nop], exporters: [nop]}}}',
    ...over,
  };
  return Object.entries(sections)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n');
}

const traces = (receivers: string, exporters: string, processors = '[]') =>
  `{pipelines: {traces: {receivers: ${receivers}, processors: ${processors}, exporters: ${exporters}}}}`;

describe('checkConfig', () => {
  it('accepts a good configuration, with names and aliases', async () => {
    const { checked, problems } = await check(
      yaml({
        receivers: '{onlytraces/a: {port: 5}, nop: }',
        service:
          '{extensions: [], pipelines: {traces/x: {receivers: [onlytraces/a, nop, nop], exporters: [nop]}}}',
      }),
    );
    expect(problems).toEqual([]);
    if (!checked.ok) throw new Error('not ok');
    expect(checked.config.pipelines).toEqual([
      {
        id: 'traces/x',
        signal: 'traces',
        receivers: ['onlytraces/a', 'nop'],
        processors: [],
        exporters: ['nop'],
      },
    ]);
    expect(checked.config.receivers.get('onlytraces/a')?.config).toEqual({ port: 5 });
    expect(checked.config.warnings).toEqual(['"onlytraces" alias is deprecated; use "only_traces" instead']);
  });

  it.each([
    ['{}', ['empty configuration file', 'service::pipelines: service must have at least one pipeline']],
    [
      'receivers: {nop: }',
      [
        'no exporter configuration specified in config',
        'service::pipelines: service must have at least one pipeline',
      ],
    ],
    [`${yaml({})}\nnosuch: 1`, ["'otelcol.configSettings' has invalid keys: nosuch"]],
    [
      yaml({ exporters: '{nosuch: , nop: }' }),
      [`'exporters' unknown type: "nosuch" for id: "nosuch" (valid values: [nop twin])`],
    ],
    [
      yaml({ processors: '{batch: {timeuot: 1s}}' }),
      [
        `'processors' error reading configuration for "batch": decoding failed due to the following error(s):\n\n` +
          "'batchprocessor.Config' has invalid keys: timeuot",
      ],
    ],
    [
      yaml({ processors: '{batch: {send_batch_max_size: 1}}' }),
      ['processors::batch: send_batch_max_size must be greater or equal to send_batch_size'],
    ],
    [
      yaml({ service: traces('[a]', '[b]', '[c]') }),
      [
        'service::pipelines::traces: references receiver "a" which is not configured',
        'service::pipelines::traces: references processor "c" which is not configured',
        'service::pipelines::traces: references exporter "b" which is not configured',
      ],
    ],
    [
      yaml({ service: '{pipelines: {traces: }}' }),
      [
        'service::pipelines::traces: must have at least one receiver',
        'service::pipelines::traces: must have at least one exporter',
      ],
    ],
    [
      yaml({ processors: '{batch: }', service: traces('[nop]', '[nop]', '[batch, batch]') }),
      ['service::pipelines::traces: references processor "batch" multiple times'],
    ],
    [
      yaml({ service: '{extensions: [zpages], pipelines: {traces: {receivers: [nop], exporters: [nop]}}}' }),
      ['service::extensions: references extension "zpages" which is not configured'],
    ],
    [
      yaml({
        service: '{foo: 1, pipelines: {spans: , traces/: , traces: {receivers: [nop], exporters: [nop]}}}',
      }),
      [
        `'service.pipelines' in "spans" id: unknown pipeline signal: "spans"`,
        `'service.pipelines' in "traces/" id: the part after / should not be empty`,
        "'service' has invalid keys: foo",
      ],
    ],
    [
      yaml({
        service:
          '{telemetry: {foo: 1, metrics: {address: x}, logs: {level: foo}}, pipelines: {traces: {receivers: [nop], exporters: [nop]}}}',
      }),
      [
        `'service.telemetry.logs' decoding failed due to the following error(s):\n\n'level' unrecognized level: "foo"`,
        "'service.telemetry.metrics' decoding failed due to the following error(s):\n\n'migration.MetricsConfigV030' has invalid keys: address",
        "'service.telemetry' has invalid keys: foo",
      ],
    ],
    [
      yaml({ service: '{pipelines: {traces: {receivers: nop, exporters: [nop]}}}' }),
      ["'service.pipelines[traces].receivers' source data must be an array or slice, got string"],
    ],
    [
      yaml({ exporters: '{nop: , nop/: , /x: , "no p": }' }),
      [
        `'exporters' '' in "nop/" id: the part after / should not be empty`,
        `'exporters' '' in "/x" id: the part before / should not be empty`,
        `'exporters' '' in "no p" id: invalid character(s) in type "no p"`,
      ],
    ],
    [
      yaml({ exporters: '{nop: text}' }),
      [
        "'exporters' decoding failed due to the following error(s):\n\n'[nop]' expected type 'map[string]interface {}', got unconvertible type 'string'",
      ],
    ],
    [yaml({ exporters: 'text' }), [`'exporters' expected a map or struct, got "string"`]],
    [
      yaml({
        service: traces('[only_traces]', '[nop]').replace('traces:', 'metrics:'),
        receivers: '{only_traces: }',
      }),
      ['failed to create "only_traces" receiver for data type "metrics": telemetry type is not supported'],
    ],
    [
      yaml({ connectors: '{forward: }', service: traces('[nop]', '[forward]') }),
      [
        'connector "forward" used as exporter in [traces] pipeline but not used in any supported receiver pipeline',
      ],
    ],
    [
      yaml({ connectors: '{forward: }', service: traces('[forward]', '[nop]') }),
      [
        'connector "forward" used as receiver in [traces] pipeline but not used in any supported exporter pipeline',
      ],
    ],
    [
      yaml({ connectors: '{forward: }', service: traces('[nop, forward]', '[forward]') }),
      ['cycle detected: connector "forward" (traces to traces) -> connector "forward" (traces to traces)'],
    ],
    [
      yaml({
        connectors: '{forward/a: , forward/b: }',
        service:
          '{pipelines: {traces/1: {receivers: [nop, forward/b], exporters: [forward/a]}, traces/2: {receivers: [forward/a], exporters: [forward/b]}}}',
      }),
      [
        'cycle detected: connector "forward/a" (traces to traces) -> connector "forward/b" (traces to traces) -> connector "forward/a" (traces to traces)',
      ],
    ],
    [
      yaml({ exporters: '{nop: , twin: }', connectors: '{twin: }' }),
      [
        'connectors::twin: ambiguous ID: Found both "twin" exporter and "twin" connector. ' +
          `Change one of the components' IDs to eliminate ambiguity (e.g. rename "twin" connector to "twin/connector")`,
      ],
    ],
  ])('%s', async (text, messages) => {
    const { problems } = await check(text);
    expect(problems.map(({ message }) => message).sort()).toEqual([...messages].sort());
  });

  it('puts place and nearest word behind each sentence', async () => {
    const { problems } = await check(yaml({ processors: '{bacth: }' }));
    expect(formatProblems(problems, { prefixed: true })).toMatch(
      /^failed to get config: cannot unmarshal the configuration: decoding failed due to the following error\(s\):\n\n'processors' unknown type: "bacth" for id: "bacth" \(valid values: \[batch memory_limiter\]\)\n {2}at .*: did you mean "batch"\?$/,
    );
  });

  it('prefixes validation problems only when asked', async () => {
    const { problems } = await check(yaml({ service: traces('[nop]', '[x]') }));
    const sentence = 'service::pipelines::traces: references exporter "x" which is not configured';
    expect(formatProblems(problems, { prefixed: true })).toContain(`invalid configuration: ${sentence}`);
    expect(formatProblems(problems, { prefixed: false }).startsWith(sentence)).toBe(true);
  });
});
