import type { Extension, Host, Settings } from '../../component/component.js';
import { formatDuration } from '../../config/duration.js';
import { AGENT_VIEW, type AgentView } from '../../pipeline/agent-view.js';
import type { OpenListener } from '../../transport/listen.js';
import { NOT_FOUND, type Page, servePages } from '../../transport/page-server.js';
import type { HealthCheckConfig } from './config.js';
import { GrpcHealth, NOT_SERVING, SERVING, type Serving } from './grpc-health.js';
import { statusAnswer } from './status-report.js';

const JSON_TYPE = 'application/json';
/** How Go prints a time that was never set. */
const NEVER = '0001-01-01T00:00:00Z';

/** Answers probes: ready or not (version 1), or with the status of every pipeline, over HTTP and gRPC (version 2). */
export class HealthCheck implements Extension {
  readonly #settings: Settings;
  readonly #config: HealthCheckConfig;
  #listener: OpenListener | undefined;
  #grpc: GrpcHealth | undefined;

  constructor(settings: Settings, config: HealthCheckConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  get address(): OpenListener['address'] {
    return this.#listener?.address ?? null;
  }

  /** Where version 2 answers gRPC, once `start` has resolved. */
  get grpcAddress(): GrpcHealth['address'] {
    return this.#grpc?.address ?? null;
  }

  /** Rejects when an address can't be bound; nothing listens then. */
  async start(host: Host): Promise<void> {
    const { use_v2: v2, http, grpc, endpoint } = this.#config;
    const view = host.service(AGENT_VIEW);
    if (view === undefined) throw new Error('nothing is known about the agent');
    if (!v2) {
      this.#listener = await servePages(endpoint, (url) => this.#readiness(view, url));
      this.#settings.logger.info('Starting health_check extension', { endpoint });
      return;
    }
    if (http !== undefined) {
      this.#listener = await servePages(http.endpoint, (url) => this.#page(view, url));
      this.#settings.logger.info('Starting health_check extension', { endpoint: http.endpoint });
    }
    if (grpc === undefined) return;
    const server = new GrpcHealth({
      servingOf: (service) => this.#servingOf(view, service),
      watch: (onChange) => view.watch(onChange),
    });
    try {
      await server.start(grpc.endpoint);
    } catch (error) {
      await this.shutdown();
      throw error;
    }
    this.#grpc = server;
    this.#settings.logger.info('Starting health_check extension', { grpc_endpoint: grpc.endpoint });
  }

  async shutdown(): Promise<void> {
    await Promise.all([this.#listener?.close(), this.#grpc?.shutdown()]);
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

  #page(view: AgentView, { pathname, searchParams }: URL): Page {
    const { http, component_health: rules } = this.#config;
    if (http?.config.enabled === true && pathname === http.config.path) {
      return { status: 200, type: JSON_TYPE, body: JSON.stringify(view.effectiveConfig()) };
    }
    if (http === undefined || !http.status.enabled || pathname !== http.status.path) return NOT_FOUND;
    const verbose = searchParams.has('verbose') && searchParams.get('verbose') !== 'false';
    const pipeline = searchParams.get('pipeline') ?? undefined;
    const answer = statusAnswer(view, pipeline, verbose, rules, this.#settings.now());
    if (answer === undefined) return NOT_FOUND;
    return { status: answer.httpStatus, type: JSON_TYPE, body: JSON.stringify(answer.report) };
  }

  #servingOf(view: AgentView, service: string): Serving | undefined {
    const pipeline = service === '' ? undefined : service;
    const { component_health: rules } = this.#config;
    const answer = statusAnswer(view, pipeline, false, rules, this.#settings.now());
    if (answer === undefined) return undefined;
    return answer.httpStatus === 200 ? SERVING : NOT_SERVING;
  }
}
