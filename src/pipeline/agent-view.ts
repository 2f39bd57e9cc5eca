import type { ServiceKey } from '../component/component.js';
import type { FeatureGates } from '../config/feature-gates.js';
import type { PipelineEntry } from '../config/settings.js';
import type { ComponentIdentity, Snapshot } from '../telemetry/registry.js';

/** The words of the Collector's `componentstatus`, in our spelling. */
export type ComponentStatus =
  | 'starting'
  | 'ok'
  | 'recoverable_error'
  | 'permanent_error'
  | 'fatal_error'
  | 'stopping'
  | 'stopped';

export interface StatusEvent {
  readonly status: ComponentStatus;
  /** What went wrong; '' when nothing did. */
  readonly error: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** What extensions may know about the program around them. Read it anew each time: it changes. */
export interface AgentView {
  readonly version: string;
  /** Milliseconds since the epoch when the program began to start. */
  readonly startedAtMs: number;
  /** Since when all components run, milliseconds since the epoch; undefined before that and once a stop has begun. */
  readonly readySinceMs: number | undefined;
  readonly pipelines: readonly PipelineEntry[];
  /** Ids, in order of start. */
  readonly extensions: readonly string[];
  /** Every component instance and how it is. */
  readonly components: readonly { readonly identity: ComponentIdentity; readonly event: StatusEvent }[];
  readonly gates: Pick<FeatureGates, 'all' | 'isEnabled'>;
  /** What runs, with every default, ready for JSON; secrets are redacted. */
  effectiveConfig(): unknown;
  snapshot(): Snapshot;
  /** Calls `onChange` after each change of what is above, until the function that it returns is called. */
  watch(onChange: () => void): () => void;
}

export const AGENT_VIEW: ServiceKey<AgentView> = { name: 'agent view' };

/** The components of one pipeline, in the order of the data. Connectors appear where they feed and are fed. */
export function componentsOf(view: AgentView, pipeline: PipelineEntry): AgentView['components'] {
  const { id, signal, receivers, processors, exporters } = pipeline;
  const order = ({ kind }: ComponentIdentity): number =>
    ['receiver', 'processor', 'connector', 'exporter'].indexOf(kind);
  return view.components
    .filter(({ identity }) => {
      switch (identity.kind) {
        case 'receiver':
          return receivers.includes(identity.id);
        case 'processor':
          return processors.includes(identity.id) && identity.instance === id;
        case 'exporter':
          return exporters.includes(identity.id) && identity.instance === signal;
        case 'connector': {
          const [from, to] = (identity.instance ?? '').split(' to ');
          return (
            (exporters.includes(identity.id) && from === signal) ||
            (receivers.includes(identity.id) && to === signal)
          );
        }
        default:
          return false;
      }
    })
    .toSorted((a, b) => order(a.identity) - order(b.identity));
}
