/**
 * The answer of version 2: the status of the whole, of one pipeline, or of everything in it. Statuses and their order
 * are those of the Collector (go.opentelemetry.io/collector/component/componentstatus).
 */
import {
  type AgentView,
  type ComponentStatus,
  componentsOf,
  type StatusEvent,
} from '../../pipeline/agent-view.js';
import type { HealthCheckConfig } from './config.js';

const NAMES: Readonly<Record<ComponentStatus, string>> = {
  starting: 'StatusStarting',
  ok: 'StatusOK',
  recoverable_error: 'StatusRecoverableError',
  permanent_error: 'StatusPermanentError',
  fatal_error: 'StatusFatalError',
  stopping: 'StatusStopping',
  stopped: 'StatusStopped',
};

/** The first one that any part has is the status of the whole. */
const WORST_FIRST: readonly ComponentStatus[] = [
  'fatal_error',
  'starting',
  'stopping',
  'stopped',
  'permanent_error',
  'recoverable_error',
  'ok',
];

export interface Report {
  readonly start_time?: string;
  readonly healthy: boolean;
  readonly status: string;
  readonly error?: string;
  readonly status_time: string;
  readonly components?: Readonly<Record<string, Report>>;
}

export interface StatusAnswer {
  readonly httpStatus: number;
  readonly report: Report;
}

/** Undefined when there is no such pipeline. `pipeline` undefined: everything. */
export function statusAnswer(
  view: AgentView,
  pipeline: string | undefined,
  verbose: boolean,
  rules: HealthCheckConfig['component_health'],
  nowMs: number,
): StatusAnswer | undefined {
  const groups = new Map<string, AgentView['components']>(
    view.pipelines.map((entry) => [`pipeline:${entry.id}`, componentsOf(view, entry)] as const),
  );
  if (pipeline === undefined) {
    groups.set(
      'extensions',
      view.components.filter(({ identity }) => identity.kind === 'extension'),
    );
  }
  const chosen =
    pipeline === undefined ? [...groups] : [...groups].filter(([key]) => key === `pipeline:${pipeline}`);
  if (chosen.length === 0) return undefined;

  const health = (event: StatusEvent): boolean => isHealthy(event, rules, nowMs);
  const reportOf = (parts: AgentView['components'], inner: Report['components']): Report => {
    const event = aggregate(
      parts.map((part) => part.event),
      view,
    );
    return {
      healthy: parts.every((part) => health(part.event)),
      status: NAMES[event.status],
      ...(event.error === '' ? {} : { error: event.error }),
      status_time: new Date(event.atMs).toISOString(),
      ...(verbose && inner !== undefined ? { components: inner } : {}),
    };
  };
  const leaves = (parts: AgentView['components']): Record<string, Report> =>
    Object.fromEntries(
      parts.map((part) => [`${part.identity.kind}:${part.identity.id}`, reportOf([part], undefined)]),
    );
  const all = chosen.flatMap(([, parts]) => parts);
  const inner =
    pipeline === undefined
      ? Object.fromEntries(chosen.map(([key, parts]) => [key, reportOf(parts, leaves(parts))]))
      : leaves(all);
  const report = { start_time: new Date(view.startedAtMs).toISOString(), ...reportOf(all, inner) };
  const { status } = aggregate(
    all.map(({ event }) => event),
    view,
  );
  return { httpStatus: httpStatusOf(status, report.healthy), report };
}

/** The worst; of equals the latest. */
function aggregate(events: readonly StatusEvent[], view: AgentView): StatusEvent {
  const worst = WORST_FIRST.find((status) => events.some((event) => event.status === status));
  const found = events.filter(({ status }) => status === worst).toSorted((a, b) => b.atMs - a.atMs)[0];
  return found ?? { status: 'starting', error: '', atMs: view.startedAtMs };
}

function isHealthy(
  { status, atMs }: StatusEvent,
  rules: HealthCheckConfig['component_health'],
  nowMs: number,
): boolean {
  switch (status) {
    case 'ok':
      return true;
    case 'recoverable_error':
      return !(rules.include_recoverable_errors && nowMs - atMs >= rules.recovery_duration);
    case 'permanent_error':
      return !rules.include_permanent_errors;
    default:
      return false;
  }
}

function httpStatusOf(status: ComponentStatus, healthy: boolean): number {
  if (status === 'starting' || status === 'stopping' || status === 'stopped') return 503;
  return healthy ? 200 : 500;
}
