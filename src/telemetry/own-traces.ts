/**
 * Traces of the agent itself: one span for each batch that a receiver hands in and for each that an exporter takes. They
 * cost some microseconds per batch, so that they are made only while somebody looks (the `tracez` page of `zpages`).
 */
import { SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import type { Consumer, ServiceKey } from '../component/component.js';
import type { Batch, Signal } from '../component/signal.js';
import { SpanSamples } from './span-samples.js';

/** What those who show spans may ask of the program. */
export interface OwnTraces {
  /** Begins to make spans, if nobody else did; the samples are shared. Call `stop` when they are no longer wanted. */
  watch(): { readonly samples: SpanSamples; stop(): void };
}

export const OWN_TRACES: ServiceKey<OwnTraces> = { name: 'own traces' };

/** Names of a signal in the Collector's own spans and their attributes. */
const WORDS: Readonly<Record<Signal, { readonly data: string; readonly items: string }>> = {
  traces: { data: 'Trace', items: 'spans' },
  metrics: { data: 'Metrics', items: 'metric_points' },
  logs: { data: 'Logs', items: 'log_records' },
  profiles: { data: 'Profiles', items: 'samples' },
};

export class OwnTracing implements OwnTraces {
  #watchers = 0;
  #running: { readonly tracer: Tracer; readonly samples: SpanSamples } | undefined;

  watch(): { readonly samples: SpanSamples; stop(): void } {
    this.#watchers++;
    this.#running ??= begin();
    let watching = true;
    return {
      samples: this.#running.samples,
      stop: () => {
        if (!watching) return;
        watching = false;
        this.#watchers--;
        if (this.#watchers === 0) this.#running = undefined;
      },
    };
  }

  /** Around what a receiver feeds: `receiver/otlp/TraceDataReceived`, as in a Collector. */
  receiving(id: string, signal: Signal, next: Consumer): Consumer {
    const { data, items } = WORDS[signal];
    const name = `receiver/${id}/${data}${signal === 'traces' ? 'Data' : ''}Received`;
    return this.#traced(name, next, (count, ok) => ({
      receiver: id,
      [`accepted_${items}`]: ok ? count : 0,
      [`refused_${items}`]: ok ? 0 : count,
    }));
  }

  /** Around an exporter: `exporter/otlp_grpc/traces`. Its queue is inside: the span ends when the batch is in it. */
  exporting(id: string, signal: Signal, exporter: Consumer): Consumer {
    return this.#traced(`exporter/${id}/${signal}`, exporter, (count, ok) => ({
      exporter: id,
      'items.sent': ok ? count : 0,
      'items.failed': ok ? 0 : count,
    }));
  }

  #traced(
    name: string,
    next: Consumer,
    attributes: (items: number, ok: boolean) => Record<string, string | number>,
  ): Consumer {
    return {
      consume: (batch) => {
        const tracer = this.#running?.tracer;
        return tracer === undefined ? next.consume(batch) : inSpan(tracer, name, next, batch, attributes);
      },
    };
  }
}

function begin(): { readonly tracer: Tracer; readonly samples: SpanSamples } {
  const samples = new SpanSamples();
  const provider = new BasicTracerProvider({ spanProcessors: [samples] });
  return { tracer: provider.getTracer('kindling'), samples };
}

async function inSpan(
  tracer: Tracer,
  name: string,
  next: Consumer,
  batch: Batch,
  attributes: (items: number, ok: boolean) => Record<string, string | number>,
): Promise<void> {
  const span = tracer.startSpan(name);
  try {
    await next.consume(batch);
    span.setAttributes(attributes(batch.itemCount, true));
  } catch (error) {
    span.setAttributes(attributes(batch.itemCount, false));
    span.setStatus({
      code: SpanStatusCode.ERROR,
      message: error instanceof Error ? error.message : String(error),
    });
    throw error;
  } finally {
    span.end();
  }
}
