/**
 * Checks a whole configuration against the components there are. Finds every problem, not the first; sentences are the
 * Collector's (go.opentelemetry.io/collector/otelcol and service).
 */
import type { AnyFactory } from '../component/factory.js';
import { DECODING_FAILED, decode } from './decode.js';
import { bySection, type FactoriesBySection, SECTIONS, type Section } from './factories.js';
import { FeatureGates, NO_PIPELINES, PROFILES } from './feature-gates.js';
import { fingerprintOf } from './fingerprint.js';
import { parseComponentId, parsePipelineId } from './ids.js';
import { nearest } from './nearest.js';
import {
  type ConfigNode,
  emptyMap,
  goKind,
  goType,
  isNull,
  type MapNode,
  nodeAt,
  positionOf,
  toPlain,
} from './node.js';
import type { Problem } from './problem.js';
import { readService, type Wiring } from './read-service.js';
import { collectorTypeOf } from './schema-walk.js';
import type { CheckedConfig, ComponentEntry, PipelineEntry } from './settings.js';

export type Checked =
  | { readonly ok: true; readonly config: CheckedConfig }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const TOP_LEVEL = [...SECTIONS, 'service'];

/** Checks everything that can be known without creating a component. */
export function checkConfig(
  root: ConfigNode,
  factories: readonly AnyFactory[],
  gates: FeatureGates = new FeatureGates(),
): Checked {
  return new Checker(root, bySection(factories), gates).run();
}

class Checker {
  readonly #root: ConfigNode;
  readonly #factories: FactoriesBySection;
  readonly #gates: FeatureGates;
  readonly #problems: Problem[] = [];
  readonly #warnings = new Set<string>();
  /** Ids written in each section, good or bad: a reference to a component with an error is not a second error. */
  readonly #written = new Map<Section, Set<string>>();
  /** Sections that are no maps. What refers to them can't be judged. */
  readonly #unreadable = new Set<Section>();

  constructor(root: ConfigNode, factories: FactoriesBySection, gates: FeatureGates) {
    this.#root = root;
    this.#gates = gates;
    for (const warning of gates.warnings) this.#warnings.add(warning);
    this.#factories = factories;
  }

  run(): Checked {
    this.#checkTopLevel();
    const components = {
      receivers: this.#section('receivers'),
      processors: this.#section('processors'),
      exporters: this.#section('exporters'),
      connectors: this.#section('connectors'),
      extensions: this.#section('extensions'),
    };
    const service = this.#service();
    this.#checkPresence();
    const pipelines = this.#pipelines(service);
    this.#checkExtensions(service);
    this.#checkAmbiguousIds();
    if (this.#problems.length > 0 || service.telemetry === undefined) {
      return { ok: false, problems: this.#problems };
    }
    return {
      ok: true,
      config: {
        ...components,
        pipelines,
        enabledExtensions: [...new Set(service.extensions)],
        telemetry: service.telemetry,
        gates: this.#gates,
        warnings: [...this.#warnings],
      },
    };
  }

  #checkTopLevel(): void {
    if (this.#root.kind !== 'map') return;
    const unknown = [...this.#root.entries.keys()].filter((key) => !TOP_LEVEL.includes(key)).toSorted();
    if (unknown.length === 0) return;
    const suggestions = unknown.flatMap((key) => nearest(key, TOP_LEVEL) ?? []);
    this.#problems.push({
      stage: 'decode',
      message: `'otelcol.configSettings' has invalid keys: ${unknown.join(', ')}`,
      position: positionOf(this.#root, [unknown[0]!]),
      suggestion: suggestions.length === 0 ? undefined : suggestions.join('", "'),
    });
  }

  #section<S extends Section>(section: S): CheckedConfig[S] {
    const checked = new Map<string, ComponentEntry>();
    const written = new Set<string>();
    this.#written.set(section, written);
    const node = nodeAt(this.#root, [section]);
    if (node !== undefined && !isNull(node)) {
      if (node.kind !== 'map') this.#refuseShape(section, node);
      else for (const id of node.entries.keys()) this.#component(section, node, id, written, checked);
    }
    // The factories of a section all have that section's kind, which the map type can't say.
    return checked as unknown as CheckedConfig[S];
  }

  #refuseShape(section: Section, node: ConfigNode): void {
    this.#unreadable.add(section);
    const message = `'${section}' expected a map or struct, got "${goKind(toPlain(node))}"`;
    this.#problems.push({ stage: 'decode', message, position: node.position });
  }

  #component(
    section: Section,
    sectionNode: MapNode,
    id: string,
    written: Set<string>,
    checked: Map<string, ComponentEntry>,
  ): void {
    const entry = sectionNode.entries.get(id)!;
    const { position } = entry;
    const parsed = parseComponentId(id);
    if ('problem' in parsed) {
      const message = `'${section}' '' ${parsed.problem}`;
      this.#problems.push({ stage: 'decode', message, position });
      return;
    }
    const canonical = canonicalId(id);
    if (written.has(canonical)) {
      const message = `'${section}' '' duplicate name ${JSON.stringify(id)} after unmarshaling ${canonical}`;
      this.#problems.push({ stage: 'decode', message, position });
      return;
    }
    written.add(canonical);
    const known: ReadonlyMap<string, AnyFactory> = this.#factories[section];
    const factory = known.get(parsed.type);
    if (factory === undefined) {
      if (parsed.type === 'logging') {
        const message = `'${section}' the logging exporter has been deprecated, use the debug exporter instead`;
        this.#problems.push({ stage: 'decode', message, position });
        return;
      }
      const message =
        `'${section}' unknown type: ${JSON.stringify(parsed.type)} for id: ${JSON.stringify(canonical)} ` +
        `(valid values: [${[...known.keys()].join(' ')}])`;
      const suggestion = nearest(parsed.type, known.keys());
      this.#problems.push({ stage: 'decode', message, position, suggestion });
      return;
    }
    if (parsed.type !== factory.type) {
      this.#warnings.add(`"${parsed.type}" alias is deprecated; use "${factory.type}" instead`);
    }
    const prefix = `'${section}' error reading configuration for ${JSON.stringify(canonical)}: ${DECODING_FAILED}`;
    if (entry.node.kind === 'list' || (entry.node.kind === 'scalar' && !isNull(entry.node))) {
      const got = goType(toPlain(entry.node));
      const message = `'${section}' ${DECODING_FAILED}'[${canonical}]' expected type 'map[string]interface {}', got unconvertible type '${got}'`;
      this.#problems.push({ stage: 'decode', message, position });
      return;
    }
    const schema = factory.config();
    const decoded = decode(schema, entry.node, {
      path: `${section}::${canonical}`,
      type: collectorTypeOf(schema) ?? `${factory.type.replaceAll('_', '')}${factory.kind}.Config`,
      wrap: (message) => prefix + message,
    });
    if (decoded.ok) {
      const fingerprint = fingerprintOf(entry.node);
      checked.set(canonical, { id: canonical, factory, config: decoded.value, fingerprint });
    } else
      this.#problems.push(
        ...decoded.problems.map((problem) => ({ ...problem, position: problem.position ?? position })),
      );
  }

  #service(): Wiring {
    const node = nodeAt(this.#root, ['service']) ?? emptyMap(this.#root);
    const pipelines = nodeAt(node, ['pipelines']);
    if (pipelines?.kind === 'map') {
      const seen = new Set<string>();
      for (const [id, entry] of pipelines.entries) {
        const parsed = parsePipelineId(id);
        if (!('problem' in parsed)) {
          const canonical = canonicalId(id);
          if (seen.has(canonical)) {
            const message = `'service.pipelines' duplicate name ${JSON.stringify(id)} after unmarshaling ${canonical}`;
            this.#problems.push({ stage: 'decode', message, position: entry.position });
          }
          seen.add(canonical);
          continue;
        }
        this.#problems.push({
          stage: 'decode',
          message: `'service.pipelines' ${parsed.problem}`,
          position: entry.position,
          suggestion: nearest(id.split('/', 1)[0] ?? '', ['traces', 'metrics', 'logs', 'profiles']),
        });
      }
    }
    const { wiring, problems } = readService(node);
    this.#problems.push(...problems);
    return wiring;
  }

  #checkPresence(): void {
    const report = (message: string, section: string) =>
      this.#problems.push({ stage: 'validate', message, position: positionOf(this.#root, [section]) });
    if (this.#root.kind !== 'map' || this.#root.entries.size === 0) {
      report('empty configuration file', '');
    } else if (!this.#gates.isEnabled(NO_PIPELINES)) {
      if (this.#written.get('receivers')?.size === 0 && !this.#has('receivers')) {
        report('no receiver configuration specified in config', 'receivers');
      }
      if (this.#written.get('exporters')?.size === 0 && !this.#has('exporters')) {
        report('no exporter configuration specified in config', 'exporters');
      }
    }
    const written = nodeAt(this.#root, ['service', 'pipelines']);
    if (!(written?.kind === 'map' && written.entries.size > 0) && !this.#gates.isEnabled(NO_PIPELINES)) {
      report('service::pipelines: service must have at least one pipeline', 'service');
    }
  }

  /** True when a section has entries, even bad ones, which were reported already. */
  #has(section: Section): boolean {
    const node = nodeAt(this.#root, [section]);
    return node !== undefined && !isNull(node) && !(node.kind === 'map' && node.entries.size === 0);
  }

  #pipelines(service: Wiring): PipelineEntry[] {
    const pipelines: PipelineEntry[] = [];
    for (const [id, raw] of Object.entries(service.pipelines)) {
      const parsed = parsePipelineId(id);
      if ('problem' in parsed) continue;
      const at = ['service', 'pipelines', id];
      const report = (message: string, path: PropertyKey[], suggestion?: string) =>
        this.#problems.push({
          stage: 'validate',
          message: `service::pipelines::${canonicalId(id)}: ${message}`,
          position: positionOf(this.#root, [...at, ...path]),
          suggestion,
        });
      if (parsed.signal === 'profiles' && !this.#gates.isEnabled(PROFILES)) {
        this.#problems.push({
          stage: 'validate',
          message: `service::pipelines: pipeline ${JSON.stringify(canonicalId(id))}: profiling signal support is at alpha level, gated under the "${PROFILES}" feature gate`,
          position: positionOf(this.#root, at),
        });
      }
      const pipeline = {
        receivers: raw.receivers.map(canonicalId),
        processors: raw.processors.map(canonicalId),
        exporters: raw.exporters.map(canonicalId),
      };
      if (pipeline.receivers.length === 0) report('must have at least one receiver', ['receivers']);
      if (pipeline.exporters.length === 0) report('must have at least one exporter', ['exporters']);
      const check = (role: 'receiver' | 'processor' | 'exporter', sections: readonly Section[]) => {
        if (sections.some((section) => this.#unreadable.has(section))) return;
        const ids = pipeline[`${role}s`];
        ids.forEach((reference, index) => {
          const known = sections.flatMap((section) => [...(this.#written.get(section) ?? [])]);
          if (known.includes(reference)) return;
          const message = `references ${role} ${JSON.stringify(reference)} which is not configured`;
          report(message, [`${role}s`, index], nearest(reference, known));
        });
      };
      check('receiver', ['receivers', 'connectors']);
      check('processor', ['processors']);
      check('exporter', ['exporters', 'connectors']);
      for (const reference of new Set(pipeline.processors)) {
        const indexes = pipeline.processors.flatMap((other, index) => (other === reference ? [index] : []));
        if (indexes.length < 2) continue;
        report(`references processor ${JSON.stringify(reference)} multiple times`, [
          'processors',
          indexes[1]!,
        ]);
      }
      pipelines.push({
        id: canonicalId(id),
        signal: parsed.signal,
        // The same receiver or exporter twice is legal and means once.
        receivers: [...new Set(pipeline.receivers)],
        processors: pipeline.processors,
        exporters: [...new Set(pipeline.exporters)],
      });
    }
    return pipelines;
  }

  #checkExtensions(service: Wiring): void {
    if (this.#unreadable.has('extensions')) return;
    const known = this.#written.get('extensions') ?? new Set();
    service.extensions.forEach((id, index) => {
      if (known.has(canonicalId(id))) return;
      this.#problems.push({
        stage: 'validate',
        message: `service::extensions: references extension ${JSON.stringify(id)} which is not configured`,
        position: positionOf(this.#root, ['service', 'extensions', index]),
        suggestion: nearest(id, known),
      });
    });
  }

  #checkAmbiguousIds(): void {
    for (const id of this.#written.get('connectors') ?? []) {
      for (const role of ['exporter', 'receiver'] as const) {
        if (!this.#written.get(`${role}s`)?.has(id)) continue;
        this.#problems.push({
          stage: 'validate',
          message:
            `connectors::${id}: ambiguous ID: Found both ${JSON.stringify(id)} ${role} and ${JSON.stringify(id)} connector. ` +
            `Change one of the components' IDs to eliminate ambiguity (e.g. rename ${JSON.stringify(id)} connector to ${JSON.stringify(`${id}/connector`)})`,
          position: positionOf(this.#root, ['connectors', id]),
        });
      }
    }
  }
}

/** `type / name` is the same id as `type/name`. */
function canonicalId(text: string): string {
  const parsed = parseComponentId(text);
  if ('problem' in parsed) return text;
  return parsed.name === '' ? parsed.type : `${parsed.type}/${parsed.name}`;
}
