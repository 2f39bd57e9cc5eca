import type { Extension, Host, Settings } from '../../component/component.js';
import { formatDuration } from '../../config/duration.js';
import { AGENT_VIEW, type AgentView } from '../../pipeline/agent-view.js';
import type { OpenListener } from '../../transport/listen.js';
import { NOT_FOUND, type Page, servePages } from '../../transport/page-server.js';
import type { HealthCheckConfig } from './config.js';
import { statusAnswer } from './status-report.js';

const JSON_TYPE = 'application/json';
/** How Go prints a time that was never set. */
const NEVER = '0001-01-01T00:00:00Z';

/** Answers probes over HTTP: ready or not (version 1), or with the status of every pipeline (version 2). */
export class HealthCheck implements Extension {
  readonly #settings: Settings;
  readonly #config: HealthCheckConfig;
  #listener: OpenListener | undefined;

  constructor(settings: Settings, config: HealthCheckConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  get address(): OpenListener['address'] {
    return this.#listener?.address ?? null;
  }

  /** Rejects when the address can't be bound. */
  async start(host: Host): Promise<void> {
    const { use_v2: v2, http, endpoint } = this.#config;
    const view = host.service(AGENT_VIEW);
    if (view === undefined) throw new Error('nothing is known about the agent');
    this.#listener = await servePages(v2 ? http.endpoint : endpoint, (url) =>
      v2 ? this.#status(view, url) : this.#readiness(view, url),
    );
    this.#settings.logger.info('Starting health_check extension', {
      endpoint: v2 ? http.endpoint : endpoint,
    });
  }

  async shutdown(): Promise<void> {
    await this.#listener?.close();
  }

  #readiness(view: AgentView, { pathname }: URL): Page {
    const { path, response_body: texts } = this.#config;
    // Go's mux takes a path that ends with a slash as a prefix.
    if (pathname !== path && !(path.endsWith('/') && pathname.startsWith(path))) return NOT_FOUND;
    const since = view.readySinceMs;
    const status = since === undefined ? 503 : 200;
    const text = since === undefined ? texts?.unhealthy : texts?.healthy;
    if (texts !== undefined) return { status, type: 'text/plain; charset=utf-8', body: text ?? '' };
    const body =
      since === undefined
        ? { status: 'Server not available', upSince: NEVER, uptime: '' }
        : {
            status: 'Server available',
            upSince: new Date(since).toISOString(),
            uptime: formatDuration(this.#settings.now() - since),
          };
    return { status, type: JSON_TYPE, body: JSON.stringify(body) };
  }

  #status(view: AgentView, { pathname, searchParams }: URL): Page {
    const { http, component_health: rules } = this.#config;
    if (!http.status.enabled || pathname !== http.status.path) return NOT_FOUND;
    const verbose = searchParams.has('verbose') && searchParams.get('verbose') !== 'false';
    const pipeline = searchParams.get('pipeline') ?? undefined;
    const answer = statusAnswer(view, pipeline, verbose, rules, this.#settings.now());
    if (answer === undefined) return NOT_FOUND;
    return { status: answer.httpStatus, type: JSON_TYPE, body: JSON.stringify(answer.report) };
  }
}
