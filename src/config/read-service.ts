/** Reads the `service` section; of one with errors, what can be read of its references. */
import { z } from 'zod';
import { decode } from './decode.js';
import { type ConfigNode, emptyMap, isNull, nodeAt } from './node.js';
import type { Problem } from './problem.js';
import { pipelineFields, type ServiceConfig, serviceFields } from './service.js';

/** The part of `service` that names components. `telemetry` is there only when all of it is good. */
export type Wiring = Pick<ServiceConfig, 'extensions' | 'pipelines'> & {
  readonly telemetry?: ServiceConfig['telemetry'];
};

/** What can be read of a `service` with errors, so that its references are checked all the same. */
function salvage(service: ConfigNode): Wiring {
  const names = { path: '', type: '', wrap: (message: string) => message };
  const extensions = nodeAt(service, ['extensions']);
  const readExtensions = extensions && decode(z.array(z.string()), extensions, names);
  const pipelines: Record<string, z.output<ReturnType<typeof pipelineFields>>> = {};
  const node = nodeAt(service, ['pipelines']);
  for (const [id, entry] of node?.kind === 'map' ? node.entries : []) {
    const decoded = decode(pipelineFields(), entry.node, names);
    if (decoded.ok) pipelines[id] = decoded.value;
  }
  return { extensions: readExtensions?.ok ? readExtensions.value : [], pipelines };
}

export function readService(node: ConfigNode): {
  readonly wiring: Wiring;
  readonly problems: readonly Problem[];
} {
  const readable = withNullPipelines(node);
  const decoded = decode(serviceFields(), readable, {
    path: 'service',
    type: 'service',
    wrap: serviceSentence,
  });
  return decoded.ok
    ? { wiring: decoded.value, problems: [] }
    : { wiring: salvage(readable), problems: decoded.problems };
}

/** `traces:` with nothing behind it is a pipeline without parts, which is a better sentence than a wrong type. */
function withNullPipelines(service: ConfigNode): ConfigNode {
  const pipelines = nodeAt(service, ['pipelines']);
  if (service.kind !== 'map' || pipelines?.kind !== 'map') return service;
  const entries = new Map(
    [...pipelines.entries].map(([id, entry]) => [
      id,
      isNull(entry.node) ? { ...entry, node: emptyMap(entry.node) } : entry,
    ]),
  );
  const at = service.entries.get('pipelines')!;
  return {
    ...service,
    entries: new Map(service.entries).set('pipelines', { ...at, node: { ...pipelines, entries } }),
  };
}

/** `'telemetry.logs' …` within `service` is `'service.telemetry.logs' …`; pipelines are addressed as map keys. */
function serviceSentence(message: string): string {
  return message
    .replace(/^'' expected/, "'service' expected")
    .replace(
      /^'pipelines' expected a map or struct, got "(\w+)"$/,
      (_, kind: string) =>
        `'service.pipelines' expected type 'pipelines.Config', got unconvertible type '${kind === 'slice' ? '[]interface {}' : kind}'`,
    )
    .replace(/^'(?!service')(pipelines|telemetry|extensions)/, "'service.$1")
    .replace(/^'service\.pipelines\.([^'.[]+)/, "'service.pipelines[$1]");
}
