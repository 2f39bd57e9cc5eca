import type { CheckedConfig, PipelineEntry } from '../config/settings.js';
import type { ComponentIdentity, MetricsRegistry, Snapshot } from '../telemetry/registry.js';
import type { AgentView, ComponentStatus, StatusEvent } from './agent-view.js';

interface BoardTools {
  readonly registry: MetricsRegistry;
  readonly now: () => number;
  readonly version: string;
}

/** Keeps how each component of one running configuration is. The lifecycle writes, extensions read. */
export class StatusBoard implements AgentView {
  readonly version: string;
  readonly startedAtMs: number;
  readonly pipelines: readonly PipelineEntry[];
  readonly extensions: readonly string[];
  readonly #tools: BoardTools;
  readonly #entries = new Map<string, { identity: ComponentIdentity; event: StatusEvent }>();
  #readySinceMs: number | undefined;

  constructor({ pipelines, enabledExtensions }: CheckedConfig, tools: BoardTools) {
    this.#tools = tools;
    this.version = tools.version;
    this.startedAtMs = tools.now();
    this.pipelines = pipelines;
    this.extensions = enabledExtensions;
  }

  get readySinceMs(): number | undefined {
    return this.#readySinceMs;
  }

  get components(): AgentView['components'] {
    return [...this.#entries.values()];
  }

  snapshot(): Snapshot {
    return this.#tools.registry.snapshot();
  }

  /** All components run, or the first begins to stop. */
  setReady(ready: boolean): void {
    this.#readySinceMs = ready ? this.#tools.now() : undefined;
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
  }
}
