import { setImmediate as nextTurn } from 'node:timers/promises';
import { CaptureSpans } from '../../capture/capture-spans.js';
import { isCaptureFile } from '../../capture/packet-file.js';
import { playCapture } from '../../capture/play.js';
import type { Host, Receiver, ReceiverOutputs, Settings } from '../../component/component.js';
import { ConfigError, UnsupportedError } from '../../component/errors.js';
import type { Origin } from '../../component/signal.js';
import { BatchDelivery } from '../../observer/batch-delivery.js';
import { DEFAULT_LIMITS } from '../../observer/connections.js';
import { createJoinEngine } from '../../observer/join-engine.js';
import { measurementOptions } from '../../observer/metrics/config.js';
import { ObserverMetrics } from '../../observer/observer-metrics.js';
import {
  DEFAULT_JOIN,
  JOIN_CONFIG_KEY,
  OBSERVER_KEY,
  type ObserverService,
} from '../../observer/observer-service.js';
import { createPassThroughEngine } from '../../observer/pass-through-engine.js';
import type { RecordingFrame, RecordingHeader } from '../../observer/recording-format.js';
import { RecordingError, readRecording } from '../../observer/recording-reader.js';
import { spanOptions } from '../../observer/span-builder.js';
import { countSpans } from '../../otlp/count.js';
import { protocolOptions } from '../../protocols/config.js';
import { urlTemplateOptions } from '../../protocols/http/url-templates-config.js';
import { loadProtocols, type ProtocolRegistry } from '../../protocols/registry.js';
import { VERSION } from '../../version.js';
import { ABI_HASH } from '../ebpf/abi.gen.js';
import type { ReplayConfig } from './config.js';
import { ReplayRun } from './replay-run.js';

/** Feeds a recording or a capture through the observer and the pipelines, then asks the agent to stop. */
export class ReplayReceiver implements Receiver {
  readonly #settings: Settings;
  readonly #config: ReplayConfig;
  readonly #next: ReceiverOutputs;
  readonly #stop = new AbortController();
  #run: ReplayRun | undefined;
  #registry: ProtocolRegistry | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(settings: Settings, config: ReplayConfig, next: ReceiverOutputs) {
    this.#settings = settings;
    this.#config = config;
    this.#next = next;
  }

  /** Rejects with ConfigError when there is no such recording, UnsupportedError when it is of another agent. */
  async start(host: Host): Promise<void> {
    const registry = await loadProtocols(this.#config.protocols.modules, this.#config.protocols.disabled);
    this.#registry = registry;
    if (await isCaptureFile(this.#config.file)) {
      host.provide(OBSERVER_KEY, { join: () => Promise.resolve([]) });
      this.#done = this.#fatal(host, this.#playCapture(host, registry));
      return;
    }
    const frames = await this.#open();
    const service: ObserverService = {
      join: (batch, origin) => this.#run?.join(batch, origin) ?? Promise.resolve([]),
    };
    host.provide(OBSERVER_KEY, service);
    this.#done = this.#fatal(host, this.#play(host, frames));
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#stop.abort();
    await Promise.race([
      this.#done,
      new Promise((resolve) => {
        if (deadline.aborted) resolve(undefined);
        deadline.addEventListener('abort', resolve, { once: true });
      }),
    ]);
  }

  #fatal(host: Host, playing: Promise<void>): Promise<void> {
    return playing.catch((error: unknown) =>
      host.reportFatal(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async #playCapture(host: Host, registry: ProtocolRegistry): Promise<void> {
    await nextTurn();
    const { file, loop, side, url_query, url_templates, protocols } = this.#config;
    const { signal } = this.#stop;
    const { logger } = this.#settings;
    const delivery = new BatchDelivery(this.#settings, this.#next.traces, signal);
    for (let pass = 0; !signal.aborted; pass++) {
      const spans = new CaptureSpans(VERSION, pass === 0 ? 'capture' : `capture/${pass}`);
      const deliver = async () => {
        const batch = spans.take();
        if (batch !== undefined) await delivery.deliver(batch);
      };
      const { run, truncated } = await playCapture(
        file,
        {
          registry,
          protocols: protocolOptions(protocols, url_query),
          urlTemplates: urlTemplateOptions(url_templates),
          side,
        },
        async (exchange, facts, ends, epoch) => {
          if (spans.add(exchange, facts, ends, epoch)) await deliver();
        },
        signal,
      );
      await deliver();
      logger.info('The capture was played.', { ...run.stats, truncated });
      if (!loop) break;
    }
    if (!signal.aborted) host.requestStop(`The replay of ${file} is over.`);
  }

  async #play(host: Host, first: Opened): Promise<void> {
    // Not before every other component has been told that the agent runs.
    await nextTurn();
    const { file, pace, loop } = this.#config;
    const { signal } = this.#stop;
    for (let pass = 0, opened: Opened = first; !signal.aborted; pass++) {
      if (pass > 0) opened = await this.#open();
      const metrics = new ObserverMetrics(this.#settings.metrics);
      const run = this.#createRun(host, opened.header, pass);
      this.#run = run;
      await run.play(opened.frames, pace, signal);
      metrics.update(run.stats(), true);
      if (!loop) break;
    }
    if (!signal.aborted) host.requestStop(`The replay of ${file} is over.`);
  }

  #createRun(host: Host, header: RecordingHeader, pass: number): ReplayRun {
    const join = host.service(JOIN_CONFIG_KEY);
    const { logger, id } = this.#settings;
    const { signal } = this.#stop;
    const delivery = new BatchDelivery(this.#settings, this.#next.traces, signal);
    const points = new BatchDelivery(this.#settings, this.#next.metrics, signal, 'metrics');
    return new ReplayRun(
      {
        limits: DEFAULT_LIMITS,
        spans: spanOptions(
          this.#config.url_query,
          header.hostName,
          VERSION,
          protocolOptions(this.#config.protocols, this.#config.url_query),
        ),
        urlTemplates: urlTemplateOptions(this.#config.url_templates),
        idSeed: pass === 0 ? header.idSeed : `${header.idSeed}/${pass}`,
        join: join ?? DEFAULT_JOIN,
        metrics:
          this.#next.metrics === undefined
            ? undefined
            : measurementOptions(
                this.#config.metrics,
                header.idSeed,
                header.hostName,
                this.#next.traces !== undefined,
              ),
        sendsSpans: this.#next.traces !== undefined || this.#next.metrics === undefined,
      },
      {
        createEngine: join === undefined ? createPassThroughEngine : createJoinEngine,
        log: logger,
        protocols: this.#registry,
      },
      {
        spans: (batch) => delivery.deliver(batch),
        metrics: (batch) => points.deliver(batch),
        otlp: (bytes, origin) => this.#forward(bytes, { ...origin, receiver: origin.receiver || id }),
      },
    );
  }

  async #forward(bytes: Uint8Array, origin: Origin): Promise<void> {
    const { metrics, logger } = this.#settings;
    const itemCount = countSpans(bytes);
    metrics.received('traces', itemCount);
    try {
      await this.#next.traces?.consume({ signal: 'traces', bytes, itemCount, origin });
      metrics.sent('traces', itemCount);
    } catch (error) {
      metrics.dropped('traces', itemCount, 'refused');
      logger.error('The pipeline refused recorded spans; they are lost.', { error: String(error) });
    }
  }

  async #open(): Promise<Opened> {
    const { file } = this.#config;
    const frames = readRecording(file);
    try {
      const { value } = await frames.next();
      if (value?.kind !== 'header') throw new RecordingError(`${file} is not a recording.`);
      if (value.header.abiHash !== ABI_HASH) {
        throw new UnsupportedError(`${file} was recorded by another version of the agent; record it again.`);
      }
      return { header: value.header, frames };
    } catch (error) {
      if (error instanceof UnsupportedError) throw error;
      const text = error instanceof Error ? error.message : String(error);
      throw new ConfigError(`The recording cannot be read: ${text}`);
    }
  }
}

interface Opened {
  readonly header: RecordingHeader;
  readonly frames: AsyncIterable<RecordingFrame>;
}
