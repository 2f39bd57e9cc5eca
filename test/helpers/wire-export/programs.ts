/** Lets a Collector or Kindling export one span to each script at the same time, and says what became of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { COMPONENTS } from '../../../src/components.js';
import { checkConfig } from '../../../src/config/check.js';
import { loadConfig } from '../../../src/config/load.js';
import { formatProblems } from '../../../src/config/problem.js';
import { Agent } from '../../../src/pipeline/agent.js';
import { collectorFamilies } from '../../../src/telemetry/prometheus/collector-families.js';
import { MetricsRegistry } from '../../../src/telemetry/registry.js';
import { CaptureLogger } from '../capture-logger.js';
import { freePorts, startCollector } from '../otlp/collector.js';
import { REFERENCE_BINARY } from '../parity/reference.js';
import { proto } from '../wire/bodies.js';
import type { ExportLog, ExportOutcome, ExportOutcomes, Script } from './script.js';
import { SCRIPT_HEADER, ScriptedBackend } from './scripted-backend.js';

interface Counts {
  readonly sent: number;
  readonly failed: number;
}

interface Program {
  counts(): Promise<ReadonlyMap<string, Counts>>;
  logs(): readonly (ExportLog & { readonly id: string })[];
  stop(): Promise<void>;
}

type Start = (yaml: string, metricsPort: number) => Promise<Program>;

/** Longer than any script makes an exporter wait, but those that make it wait for ever. */
const QUIET_MS = 3500;
const LIMIT_MS = 15_000;
const FIELDS = ['error', 'interval', 'dropped_items', 'message', 'dropped_spans'];

async function outcomes(scripts: readonly Script[], start: Start): Promise<ExportOutcomes> {
  const backend = new ScriptedBackend(scripts);
  const [receiverPort = 0, metricsPort = 0] = await freePorts(2);
  const program = await start(yamlOf(scripts, receiverPort, metricsPort, await backend.start()), metricsPort);
  try {
    const sent = await fetch(`http://127.0.0.1:${receiverPort}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(proto('traces')),
    });
    if (sent.status !== 200) throw new Error(`the receiver answers ${sent.status}`);
    const counts = await settled(program, scripts.length);
    const logs = program.logs();
    return Object.fromEntries(
      scripts.map((script, index) => [
        script.id,
        outcome(
          backend.attempts.get(index) ?? 0,
          counts.get(idOf(script, index)),
          (log) => log.id === idOf(script, index),
          logs,
        ),
      ]),
    );
  } finally {
    await program.stop();
    backend.stop();
  }
}

function outcome(
  attempts: number,
  counts: Counts | undefined,
  isOwn: (log: { readonly id: string }) => boolean,
  logs: readonly (ExportLog & { readonly id: string })[],
): ExportOutcome {
  const own = logs.filter(isOwn).map(({ id: _id, ...log }) => log);
  const text = JSON.stringify({ attempts, sent: counts?.sent ?? 0, failed: counts?.failed ?? 0, logs: own });
  return JSON.parse(text.replaceAll(/127\.0\.0\.1:\d{2,}/g, '127.0.0.1:PORT')) as ExportOutcome;
}

/** The counts when each exporter has told what became of its span, or when nothing happens any more. */
async function settled(program: Program, wanted: number): Promise<ReadonlyMap<string, Counts>> {
  let before = '';
  const startedAt = performance.now();
  let changedAt = startedAt;
  for (;;) {
    const counts = await program.counts();
    const done = [...counts.values()].filter(({ sent, failed }) => sent + failed > 0).length;
    const state = `${done} ${program.logs().length}`;
    if (state !== before) changedAt = performance.now();
    before = state;
    if (done === wanted || performance.now() - changedAt > QUIET_MS) return counts;
    if (performance.now() - startedAt > LIMIT_MS) return counts;
    await sleep(50);
  }
}

const idOf = ({ protocol }: Script, index: number): string => `otlp_${protocol}/${index}`;

function yamlOf(
  scripts: readonly Script[],
  receiverPort: number,
  metricsPort: number,
  ports: { readonly httpPort: number; readonly grpcPort: number },
): string {
  const exporters = scripts.map((script, index) => {
    const { protocol, config = '' } = script;
    const endpoint = `http://127.0.0.1:${protocol === 'http' ? ports.httpPort : ports.grpcPort}`;
    const retry = config.includes('retry_on_failure')
      ? ''
      : ', retry_on_failure: {initial_interval: 10ms, max_interval: 10ms, randomization_factor: 0, max_elapsed_time: 0}';
    return `  ${idOf(script, index)}: {endpoint: "${endpoint}", compression: none, tls: {insecure: true}, headers: {${SCRIPT_HEADER}: "${index}"}${retry}${config === '' ? '' : `, ${config}`}}`;
  });
  return [
    'receivers:',
    `  otlp: {protocols: {http: {endpoint: "127.0.0.1:${receiverPort}"}}}`,
    'exporters:',
    ...exporters,
    'service:',
    '  telemetry:',
    '    logs: {encoding: json, sampling: {enabled: false}}',
    `    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metricsPort}, without_type_suffix: true}}}}]}`,
    '  pipelines:',
    `    traces: {receivers: [otlp], exporters: [${scripts.map(idOf).join(', ')}]}`,
    '',
  ].join('\n');
}

const pick = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(FIELDS.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])));

export const askReferenceExporters = (scripts: readonly Script[]): Promise<ExportOutcomes> =>
  outcomes(scripts, async (yaml, metricsPort) => {
    const collector = await startCollector(yaml, { binary: REFERENCE_BINARY });
    return {
      stop: collector.stop,
      counts: async () => {
        const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
        return countsOf(
          [
            ...page.matchAll(
              /^otelcol_exporter_(sent|send_failed)_spans(?:_total)?\{[^}]*exporter="([^"]+)"[^}]*\} (\d+)/gm,
            ),
          ].map(([, name, id, value]) => ({ name: name!, id: id!, value: Number(value) })),
        );
      },
      logs: () =>
        collector
          .output()
          .split('\n')
          .filter((line) => line.startsWith('{"level":'))
          .map((line) => JSON.parse(line) as Record<string, unknown>)
          .filter((line) => line['otelcol.component.kind'] === 'exporter')
          .map((line) => ({
            id: String(line['otelcol.component.id']),
            level: String(line.level),
            ...pick(line),
            // The sentence and a field of the same name.
            message: String(line.msg),
            ...(line.message === undefined ? {} : { text: line.message }),
          }))
          .filter(isAboutExports),
    };
  });

/** What is said at the start about names of settings is no part of this. */
const isAboutExports = ({ message }: { readonly message: string }): boolean =>
  /^(Exporting failed|Partial success)/.test(message);

export const askKindlingExporters = (scripts: readonly Script[]): Promise<ExportOutcomes> =>
  outcomes(scripts, async (yaml) => {
    const root = await loadConfig({ uris: [`yaml:${yaml}`] }, { env: {}, note: () => {} });
    const checked = checkConfig(root, COMPONENTS);
    if (!checked.ok) throw new Error(formatProblems(checked.problems, { prefixed: true }));
    const logger = new CaptureLogger();
    const registry = new MetricsRegistry();
    const agent = new Agent({
      logger,
      registry,
      shutdownTimeoutMs: 500,
      version: 'test',
      onStopRequest: () => {},
    });
    await agent.start(checked.config);
    return {
      stop: () => agent.stop(),
      counts: async () =>
        countsOf(
          collectorFamilies(registry.snapshot(), 'normal').flatMap(({ name, points }) => {
            const which = /exporter_(sent|send_failed)_spans$/.exec(name)?.[1];
            return which === undefined
              ? []
              : points.map(({ labels, value }) => ({ name: which, id: labels.exporter ?? '', value }));
          }),
        ),
      logs: () =>
        logger.lines
          .filter(({ fields }) => fields['otelcol.component.kind'] === 'exporter')
          .map(({ level, message, fields }) => ({
            id: String(fields['otelcol.component.id']),
            level,
            ...pick(fields),
            message,
            ...(fields.message === undefined ? {} : { text: fields.message }),
          }))
          .filter(isAboutExports),
    };
  });

function countsOf(
  points: readonly { readonly name: string; readonly id: string; readonly value: number }[],
): ReadonlyMap<string, Counts> {
  const counts = new Map<string, { sent: number; failed: number }>();
  for (const { name, id, value } of points) {
    const one = counts.get(id) ?? { sent: 0, failed: 0 };
    counts.set(id, one);
    one[name === 'sent' ? 'sent' : 'failed'] += value;
  }
  return counts;
}
