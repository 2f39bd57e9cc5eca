import { effectiveConfig } from '../config/effective.js';
import { FeatureGates } from '../config/feature-gates.js';
import type { CheckedConfig, PipelineEntry } from '../config/settings.js';
import type { ComponentIdentity, MetricsRegistry, Snapshot } from '../telemetry/registry.js';
import type { AgentView, ComponentStatus, StatusEvent } from './agent-view.js';

interface BoardTools {
  readonly registry: MetricsRegistry;
  readonly now: () => number;
  readonly version: string;
}

/** Keeps how each component is, over reloads. The lifecycle writes, extensions read. */
export class StatusBoard implements AgentView {
  readonly version: string;
  readonly startedAtMs: number;
  readonly #tools: BoardTools;
  readonly #entries = new Map<string, { identity: ComponentIdentity; event: StatusEvent }>();
  readonly #watchers = new Set<() => void>();
  #config: CheckedConfig | undefined;
  #readySinceMs: number | undefined;

  constructor(tools: BoardTools) {
    this.#tools = tools;
    this.version = tools.version;
    this.startedAtMs = tools.now();
  }

  get pipelines(): readonly PipelineEntry[] {
    return this.#config?.pipelines ?? [];
  }

  get extensions(): readonly string[] {
    return this.#config?.enabledExtensions ?? [];
  }

  get readySinceMs(): number | undefined {
    return this.#readySinceMs;
  }

  get components(): AgentView['components'] {
    return [...this.#entries.values()];
  }

  get gates(): AgentView['gates'] {
    return this.#config?.gates ?? new FeatureGates();
  }

  effectiveConfig(): unknown {
    return this.#config === undefined ? {} : effectiveConfig(this.#config);
  }

  snapshot(): Snapshot {
    return this.#tools.registry.snapshot();
  }

  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  /** `config` begins to run. */
  show(config: CheckedConfig): void {
    this.#config = config;
    this.#tell();
  }

  /** Components that a reload took away are no longer anybody's concern. */
  forgetStopped(): void {
    for (const [key, { event }] of this.#entries) if (event.status === 'stopped') this.#entries.delete(key);
    this.#tell();
  }

  /** All components run, or the first begins to stop. A reload that keeps running stays ready. */
  setReady(ready: boolean): void {
    this.#readySinceMs = ready ? (this.#readySinceMs ?? this.#tools.now()) : undefined;
    this.#tell();
  }

  /** A status that stays the same keeps its time. What failed for good stays so until it stops. */
  set(identity: ComponentIdentity, status: ComponentStatus, error = ''): void {
    const key = `${identity.kind} ${identity.id} ${identity.instance ?? ''}`;
    const before = this.#entries.get(key)?.event;
    if (before?.status === status && before.error === error) return;
    const final = before?.status === 'permanent_error' || before?.status === 'fatal_error';
    if (final && (status === 'ok' || status === 'recoverable_error')) return;
    const sameKind = before?.status === status;
    const atMs = sameKind ? before.atMs : this.#tools.now();
    this.#entries.set(key, { identity, event: { status, error, atMs } });
    this.#tell();
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
