/**
 * What must hold before pipelines can be built: every component supports the signals it is used for, connectors have
 * both ends, and nothing runs in a circle. Sentences of go.opentelemetry.io/collector/service/internal/graph.
 */
import type { Signal } from '../component/signal.js';
import type { Problem } from '../config/problem.js';
import type { CheckedConfig, PipelineEntry } from '../config/settings.js';

/** A connector between two signals, as the graph will create it. */
export interface Link {
  readonly id: string;
  readonly from: Signal;
  readonly to: Signal;
}

/** All problems; empty when the pipelines can be built. */
export function checkGraph(config: CheckedConfig): Problem[] {
  return [...unsupportedSignals(config), ...halfConnected(config), ...cycles(config)].map((message) => ({
    stage: 'build',
    message,
  }));
}

/** The connections that connector `id` makes from a pipeline of signal `from`. */
export function linksFrom(config: CheckedConfig, id: string, from: Signal): Link[] {
  const routes = config.connectors.get(id)?.factory.routes ?? [];
  const targets = new Set(
    config.pipelines.filter(({ receivers }) => receivers.includes(id)).map(({ signal }) => signal),
  );
  return routes
    .filter((route) => route.from === from && targets.has(route.to))
    .map(({ to }) => ({ id, from, to }));
}

function unsupportedSignals(config: CheckedConfig): string[] {
  const messages = new Set<string>();
  for (const pipeline of config.pipelines) {
    for (const section of ['receivers', 'processors', 'exporters'] as const) {
      for (const id of pipeline[section]) {
        const factory = config[section].get(id)?.factory;
        if (factory === undefined || factory.signals.includes(pipeline.signal)) continue;
        messages.add(
          `failed to create ${JSON.stringify(id)} ${factory.kind} for data type ` +
            `${JSON.stringify(pipeline.signal)}: telemetry type is not supported`,
        );
      }
    }
  }
  return [...messages];
}

function halfConnected(config: CheckedConfig): string[] {
  const messages = new Set<string>();
  for (const [id, { factory }] of config.connectors) {
    const asExporter = config.pipelines.filter(({ exporters }) => exporters.includes(id));
    const asReceiver = config.pipelines.filter(({ receivers }) => receivers.includes(id));
    const routed = (from: Signal, to: Signal) =>
      factory.routes.some((route) => route.from === from && route.to === to);
    for (const { id: pipeline, signal } of asExporter) {
      if (asReceiver.some((target) => routed(signal, target.signal))) continue;
      messages.add(
        `connector ${JSON.stringify(id)} used as exporter in [${pipeline}] pipeline but not used in any supported receiver pipeline`,
      );
    }
    for (const { id: pipeline, signal } of asReceiver) {
      if (asExporter.some((source) => routed(source.signal, signal))) continue;
      messages.add(
        `connector ${JSON.stringify(id)} used as receiver in [${pipeline}] pipeline but not used in any supported exporter pipeline`,
      );
    }
  }
  return [...messages];
}

/** The pipelines that `link` feeds. */
export function pipelinesFedBy(config: CheckedConfig, { id, to }: Link): PipelineEntry[] {
  return config.pipelines.filter(({ signal, receivers }) => signal === to && receivers.includes(id));
}

function cycles(config: CheckedConfig): string[] {
  const finished = new Set<string>();
  const walk = (
    pipeline: PipelineEntry,
    path: readonly (Link & { readonly into: string })[],
  ): string | undefined => {
    const start = path.findIndex(({ into }) => into === pipeline.id);
    if (start >= 0 && start < path.length - 1) {
      const links = path.slice(start + 1);
      // A circle has no beginning: the same one is always told the same way.
      const first = links.reduce(
        (best, link, index) => (nameOf(link) < nameOf(links[best]!) ? index : best),
        0,
      );
      const circle = [...links.slice(first), ...links.slice(0, first)];
      return `cycle detected: ${[...circle, circle[0]!].map(nameOf).join(' -> ')}`;
    }
    if (finished.has(pipeline.id)) return undefined;
    for (const id of pipeline.exporters) {
      for (const link of linksFrom(config, id, pipeline.signal)) {
        for (const next of pipelinesFedBy(config, link)) {
          const found = walk(next, [...path, { ...link, into: next.id }]);
          if (found !== undefined) return found;
        }
      }
    }
    finished.add(pipeline.id);
    return undefined;
  };
  for (const pipeline of config.pipelines) {
    const found = walk(pipeline, []);
    if (found !== undefined) return [found];
  }
  return [];
}

const nameOf = ({ id, from, to }: Link): string => `connector ${JSON.stringify(id)} (${from} to ${to})`;
