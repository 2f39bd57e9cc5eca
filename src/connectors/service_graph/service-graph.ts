/**
 * Who calls whom: the spans of both ends of a request make an edge, and so does that of one end when the other has none.
 * Names are those of the Collector's connector, which are those that Grafana's service graph reads.
 */
import type { Connector, Consumer, Settings } from '../../component/component.js';
import { PermanentError } from '../../component/errors.js';
import type { Batch } from '../../component/signal.js';
import { agentId } from '../../metrics/agent-id.js';
import { DEFAULT_AGGREGATION, MetricsAggregator } from '../../metrics/aggregator.js';
import type { MetricDefinition } from '../../metrics/definition.js';
import type { ExemplarSource } from '../../metrics/exemplar.js';
import { instanceId } from '../../metrics/instance-id.js';
import { MetricsEmitter } from '../../metrics/metrics-emitter.js';
import type { AttributesInput } from '../../otlp/attribute-writer.js';
import { SpanKind, StatusCode } from '../../otlp/span-constants.js';
import { timeFromMs } from '../../otlp/time.js';
import { type ResourceView, type SpanView, walkSpans } from '../../otlp/trace-view.js';
import { VERSION } from '../../version.js';
import type { ServiceGraphConfig } from './config.js';
import type { ConnectionType, Edge } from './edge.js';
import { EdgeStore } from './edge-store.js';

const BOUNDS = [0.002, 0.004, 0.006, 0.008, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8, 1, 1.4, 2, 5, 10, 15];
const counter = (name: string): MetricDefinition => ({ name, description: '', unit: '', kind: 'counter' });
const TOTAL = counter('traces_service_graph_request_total');
const FAILED = counter('traces_service_graph_request_failed_total');

export class ServiceGraphConnector implements Connector {
  readonly #settings: Settings;
  readonly #config: ServiceGraphConfig;
  readonly #store: EdgeStore;
  readonly #aggregator: MetricsAggregator;
  readonly #emitter: MetricsEmitter;
  readonly #resource: AttributesInput;
  readonly #clientDuration: MetricDefinition;
  readonly #serverDuration: MetricDefinition;
  readonly #databaseNames: readonly string[];
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: Settings, config: ServiceGraphConfig, next: Consumer) {
    this.#settings = settings;
    this.#config = config;
    const { exponential_histogram_max_size: maxBuckets, latency_histogram_buckets: buckets } = config;
    this.#store = new EdgeStore(config.store.max_items, config.store.ttl);
    this.#aggregator = new MetricsAggregator(
      {
        ...DEFAULT_AGGREGATION,
        scope: 'traces_service_graph',
        version: VERSION,
        histogram: maxBuckets > 0 ? 'exponential' : 'explicit',
        maxBuckets: Math.max(2, maxBuckets),
        seriesLimit: 0,
        maxBytes: config.max_size,
        expirationMs: config.metrics_expiration,
      },
      timeFromMs(settings.now() - config.metrics_timestamp_offset),
    );
    this.#emitter = new MetricsEmitter(settings, this.#aggregator, next, {
      intervalMs: config.metrics_flush_interval,
      offsetMs: config.metrics_timestamp_offset,
      prepare: () => this.#expire(),
    });
    const histogram = { description: '', unit: 's', kind: 'histogram' } as const;
    const bounds = buckets?.map((ms) => ms / 1000) ?? BOUNDS;
    this.#clientDuration = { ...histogram, name: 'traces_service_graph_request_client', bounds };
    this.#serverDuration = { ...histogram, name: 'traces_service_graph_request_server', bounds };
    const { database_name_attribute: first, database_name_attributes: names } = config;
    this.#databaseNames = first === undefined ? names : [first, ...names];
    const agent = { 'service.name': 'kindling' };
    this.#resource = {
      ...agent,
      'service.instance.id': instanceId(agentId(), { ...agent, id: settings.id }),
    };
  }

  async start(): Promise<void> {
    this.#emitter.start();
    this.#timer ??= setInterval(
      () => this.#expire(),
      Math.max(1, this.#config.store_expiration_loop || 2000),
    );
  }

  async consume({ bytes }: Batch): Promise<void> {
    const services = new Map<ResourceView, string | undefined>();
    try {
      walkSpans(bytes, (span) => {
        const { resource } = span;
        if (!services.has(resource)) services.set(resource, textOf(resource.attribute('service.name')));
        const service = services.get(resource);
        if (service !== undefined) this.#add(span, service);
      });
    } catch (error) {
      throw new PermanentError(`spans can't be read: ${(error as Error).message}`, { cause: error });
    }
    this.#settings.metrics.gauge('edges_waiting', this.#store.size);
    if (this.#config.metrics_flush_interval <= 0) await this.#emitter.emit();
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    // What waits will get no answer any more.
    this.#expire(Number.POSITIVE_INFINITY);
    await this.#emitter.shutdown(deadline);
  }

  #add(span: SpanView, service: string): void {
    switch (span.kind) {
      case SpanKind.client:
        this.#client(span, service, '');
        break;
      case SpanKind.producer:
        this.#client(span, service, 'messaging_system');
        break;
      case SpanKind.server:
        this.#server(span, service, '');
        break;
      case SpanKind.consumer:
        this.#server(span, service, 'messaging_system');
        break;
      default:
        break;
    }
  }

  #client(span: SpanView, service: string, type: ConnectionType): void {
    const edge = this.#edgeOf(span, span.spanId);
    if (edge === undefined) return;
    edge.connectionType = type;
    edge.client = service;
    edge.clientSeconds = Math.max(0, span.durationNs) / 1e9;
    edge.failed ||= span.statusCode === StatusCode.error;
    this.#dimensions(edge, 'client', span);
    edge.peer = this.#firstOf(this.#config.virtual_node_peer_attributes, span);
    const database = this.#firstOf(this.#databaseNames, span, isNumber);
    if (database !== undefined) {
      edge.connectionType = 'database';
      edge.server = database;
      edge.serverSeconds = edge.clientSeconds;
    } else if (textOf(span.attribute('messaging.system')) !== undefined) {
      edge.connectionType = 'messaging_system';
      edge.peer = this.#firstOf(['messaging.destination.name', 'messaging.system'], span);
    }
    this.#completeIf(edge, span);
  }

  #server(span: SpanView, service: string, type: ConnectionType): void {
    const edge = this.#edgeOf(span, span.parentSpanId);
    if (edge === undefined) return;
    edge.connectionType = type;
    edge.server = service;
    edge.serverSeconds = Math.max(0, span.durationNs) / 1e9;
    edge.failed ||= span.statusCode === StatusCode.error;
    this.#dimensions(edge, 'server', span);
    this.#completeIf(edge, span);
  }

  #edgeOf({ traceId }: SpanView, spanId: string): Edge | undefined {
    const { metrics } = this.#settings;
    const found = this.#store.of(traceId, spanId, this.#settings.now());
    if (found === undefined) {
      metrics.count('dropped_spans', 1);
      return undefined;
    }
    if (found.isNew) metrics.count('total_edges', 1);
    return found.edge;
  }

  #completeIf(edge: Edge, span: SpanView): void {
    if (edge.client === undefined && edge.spanId === '') {
      // A trace begins here: nobody else will tell who asked, and others must not take it for theirs.
      this.#store.remove(edge);
      this.#begunHere(edge, span);
      return;
    }
    if (edge.client === undefined || edge.server === undefined) return;
    this.#store.remove(edge);
    this.#count(edge, span);
  }

  #begunHere(edge: Edge, span: SpanView): void {
    const queue =
      edge.connectionType === 'messaging_system'
        ? this.#firstOf(['messaging.destination.name', 'messaging.system'], span)
        : undefined;
    edge.client = queue ?? 'user';
    if (queue === undefined) edge.connectionType = 'virtual_node';
    edge.virtualNode = 'client';
    this.#count(edge, span);
  }

  #expire(nowMs = this.#settings.now()): void {
    for (const edge of this.#store.expire(nowMs)) {
      this.#settings.metrics.count('expired_edges', 1);
      // A server whose client has a span: the agent that sees the client tells of the edge.
      if (edge.client === undefined) continue;
      edge.server = edge.peer ?? 'unknown';
      if (edge.connectionType === '') edge.connectionType = 'virtual_node';
      edge.virtualNode = 'server';
      this.#count(edge, undefined);
    }
  }

  /** One end is enough for both durations: readers ask for the server's, and its caller knows no less. */
  #count(edge: Edge, span: SpanView | undefined): void {
    const { client, server, connectionType, failed, dimensions, virtualNode, traceId } = edge;
    const attributes: AttributesInput = {
      client,
      server,
      connection_type: connectionType,
      failed,
      ...dimensions,
      ...(this.#config.virtual_node_extra_label && virtualNode !== undefined
        ? { virtual_node: virtualNode }
        : {}),
    };
    const metrics = this.#aggregator.resource(this.#resource);
    metrics.numbers(TOTAL).of(attributes).add(1);
    if (failed) metrics.numbers(FAILED).of(attributes).add(1);
    const source = (): ExemplarSource | undefined =>
      span === undefined ? undefined : { time: span.endTime, traceId, spanId: span.spanId };
    const seconds = edge.serverSeconds ?? edge.clientSeconds ?? 0;
    metrics.histogram(this.#serverDuration).of(attributes).record(seconds, source);
    metrics
      .histogram(this.#clientDuration)
      .of(attributes)
      .record(edge.clientSeconds ?? seconds, source);
  }

  #dimensions(edge: Edge, side: 'client' | 'server', span: SpanView): void {
    for (const name of this.#config.dimensions) {
      const value = span.resource.attribute(name) ?? span.attribute(name);
      if (value !== undefined && value !== null) edge.dimensions[`${side}_${name}`] = String(value);
    }
  }

  #firstOf(names: readonly string[], span: SpanView, except?: (text: string) => boolean): string | undefined {
    for (const name of names) {
      const text = textOf(span.attribute(name));
      if (text !== undefined && except?.(text) !== true) return text;
    }
    return undefined;
  }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** Redis' databases have numbers for names. */
const isNumber = (text: string): boolean => /^\d+$/.test(text);
