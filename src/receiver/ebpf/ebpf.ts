import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Host, Receiver, ReceiverOutputs, Settings } from '../../component/component.js';
import { agentId } from '../../metrics/agent-id.js';
import { BatchDelivery } from '../../observer/batch-delivery.js';
import { ObserverClient } from '../../observer/client.js';
import { DEFAULT_LIMITS } from '../../observer/connections.js';
import { measurementOptions } from '../../observer/metrics/config.js';
import { ObserverMetrics } from '../../observer/observer-metrics.js';
import { DEFAULT_JOIN, JOIN_CONFIG_KEY, OBSERVER_KEY } from '../../observer/observer-service.js';
import { spanOptions } from '../../observer/span-builder.js';
import type { ObserverStats, ObserverWorkerData } from '../../observer/worker-messages.js';
import { protocolOptions } from '../../protocols/config.js';
import { urlTemplateOptions } from '../../protocols/http/url-templates-config.js';
import { loadProtocols } from '../../protocols/registry.js';
import { VERSION } from '../../version.js';
import { captureOptions, readsTls, watchesPidsOnly } from './capture-options.js';
import type { EbpfConfig } from './config.js';
import type { TopicReport } from './native.js';

/** Runs the observer of this host in its thread and feeds what it builds and measures into the pipelines. */
export class EbpfReceiver implements Receiver {
  readonly #settings: Settings;
  readonly #config: EbpfConfig;
  readonly #next: ReceiverOutputs;
  readonly #stop = new AbortController();
  readonly #metrics: ObserverMetrics;
  #client: ObserverClient | undefined;
  #lastStats: ObserverStats | undefined;
  /** Spans that arrived from the observer. */
  #spans = 0;

  constructor(settings: Settings, config: EbpfConfig, next: ReceiverOutputs) {
    this.#settings = settings;
    this.#config = config;
    this.#next = next;
    this.#metrics = new ObserverMetrics(settings.metrics);
  }

  /** Rejects with UnsupportedError when nothing can run here: the message says what is missing. */
  async start(host: Host): Promise<void> {
    const { logger } = this.#settings;
    const delivery = new BatchDelivery(this.#settings, this.#next.traces, this.#stop.signal);
    const points = new BatchDelivery(this.#settings, this.#next.metrics, this.#stop.signal, 'metrics');
    // What is wrong with a module is said here; the observer's thread loads them again.
    await loadProtocols(this.#config.protocols.modules, this.#config.protocols.disabled);
    const client = new ObserverClient(
      this.#workerData(host),
      {
        spans: (batch) => {
          this.#spans += batch.itemCount;
          return delivery.deliver(batch);
        },
        metrics: (batch) => points.deliver(batch),
        stats: (stats) => {
          this.#lastStats = stats;
          this.#metrics.update(stats);
        },
        died: (error) => host.reportFatal(error),
      },
      logger,
    );
    const report = await client.start();
    this.#client = client;
    host.provide(OBSERVER_KEY, client);
    for (const topic of report) this.#tell(topic);
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    deadline.addEventListener('abort', () => this.#stop.abort(), { once: true });
    await client.stop(deadline);
    this.#stop.abort();
    if (this.#lastStats === undefined) return;
    this.#metrics.update(this.#lastStats, true);
    if (!client.completed) this.#countUnfinished(this.#lastStats);
  }

  /** There was no time to hand out what the observer held when it was told to stop. */
  #countUnfinished({ observer, spansDropped }: ObserverStats): void {
    const held = (observer.join_exchanges_held ?? 0) + (observer.exchanges_held ?? 0);
    const lost = (observer.spans_built ?? 0) + held - spansDropped - this.#spans;
    if (lost <= 0) return;
    const { metrics, logger } = this.#settings;
    metrics.received('traces', lost);
    metrics.dropped('traces', lost, 'shutdown');
    logger.error('There was no time to hand out all spans before the stop; they are lost.', { spans: lost });
  }

  #workerData(host: Host): Omit<ObserverWorkerData, 'budget'> {
    const config = this.#config;
    const join = host.service(JOIN_CONFIG_KEY);
    return {
      capture: captureOptions(config),
      observer: {
        limits: {
          ...DEFAULT_LIMITS,
          maxConnections: config.max_connections,
          timeoutNs: config.request_timeout * 1e6,
        },
        spans: spanOptions(
          config.url_query,
          hostname(),
          VERSION,
          protocolOptions(config.protocols, config.url_query),
        ),
        urlTemplates: urlTemplateOptions(config.url_templates),
        idSeed: bootSeed(),
        join: join ?? DEFAULT_JOIN,
        metrics:
          this.#next.metrics === undefined
            ? undefined
            : measurementOptions(config.metrics, agentId(), hostname(), this.#next.traces !== undefined),
        // Without a pipeline for anything they are built all the same, so that the log tells of them.
        sendsSpans: this.#next.traces !== undefined || this.#next.metrics === undefined,
      },
      tls: readsTls(config)
        ? {
            libraries: config.tls.libraries,
            maxProbeCostNs: config.tls.max_probe_cost * 1e6,
            perProcess: watchesPidsOnly(config),
          }
        : undefined,
      profile: join !== undefined,
      protocols: config.protocols,
      recording:
        config.record_to === undefined
          ? undefined
          : { path: config.record_to, maxBytes: config.record_max_size, hostName: hostname() },
      cost: config.budget,
      agentVersion: VERSION,
      maxUnackedBytes: config.max_pending_size,
    };
  }

  #tell({ topic, variant, attached, error }: TopicReport): void {
    const { logger } = this.#settings;
    if (attached) {
      logger.info('Observing.', { topic, ...(variant === '' ? {} : { variant }) });
      if (error !== undefined) {
        logger.warn('Senders of datagrams that arrive on unconnected sockets are not known.', {
          reason: error.message,
          errno: error.name,
          hint: error.hint,
        });
      }
    } else {
      logger.warn('A kind of observation is off.', {
        topic,
        reason: error?.message,
        errno: error?.name,
        hint: error?.hint,
      });
      if (error?.verifierLog) logger.debug('The verifier said.', { topic, log: error.verifierLog });
    }
  }
}

/** Different on each boot, says nothing about the machine. */
function bootSeed(): string {
  let boot = String(process.pid) + String(Date.now());
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // A /proc without it: ids are unique all the same, they differ from one run to the next.
  }
  return createHash('sha256').update(boot).digest('hex').slice(0, 32);
}
