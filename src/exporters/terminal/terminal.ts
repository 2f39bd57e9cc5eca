/** A summary of the requests on standard output, and one slow request explained. Logs go to standard error. */
import type { Exporter, Settings } from '../../component/component.js';
import type { Batch } from '../../component/signal.js';
import { renderTrace } from '../../explain/render-trace.js';
import { detectStyle, dim, type Style } from '../../explain/style.js';
import type { TraceExplanation } from '../../explain/trace-explanation.js';
import { TIME_CLASSES } from '../../observer/types.js';
import type { AttributeValue } from '../../otlp/any-value.js';
import { SpanKind, StatusCode } from '../../otlp/span-constants.js';
import { type ResourceView, type SpanView, walkSpans } from '../../otlp/trace-view.js';
import { ATTR_CONFIDENCE, timeAttribute } from '../../semconv.js';
import type { TerminalConfig } from './config.js';
import { endpointName } from './endpoint-name.js';
import { EndpointTable } from './endpoint-table.js';
import { LiveScreen } from './live-screen.js';
import type { TerminalOutput } from './output.js';
import { renderSummary } from './render-summary.js';
import { SlowRequestWatch } from './slow-request-watch.js';

const LIVE_INTERVAL_MS = 2000;
const PLAIN_INTERVAL_MS = 10_000;
const PLAIN_WIDTH = 140;
/** How often to look whether the explanation is ready, whatever the interval of the summary. */
const WATCH_INTERVAL_MS = 500;
/** The explanation is an appetizer: `kindling trace` has no such limits. */
const EXPLAIN_LIMITS = { timelineRows: 16, details: 3, hint: '' };
const TIME_ATTRIBUTES = TIME_CLASSES.map(timeAttribute);

export class TerminalExporter implements Exporter {
  readonly #settings: Settings;
  readonly #config: TerminalConfig;
  readonly #output: TerminalOutput;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #live: boolean;
  readonly #table: EndpointTable;
  readonly #watch = new SlowRequestWatch();
  readonly #screen: LiveScreen;
  readonly #startMs: number;
  readonly #classNs = new Float64Array(TIME_CLASSES.length);
  #timers: NodeJS.Timeout[] = [];
  #changed = false;
  #running = false;

  constructor(
    settings: Settings,
    config: TerminalConfig,
    output: TerminalOutput,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.#settings = settings;
    this.#config = config;
    this.#output = output;
    this.#env = env;
    this.#live = config.mode === 'live' || (config.mode === 'auto' && output.isTty && env.TERM !== 'dumb');
    this.#startMs = settings.now();
    this.#table = new EndpointTable(
      { maxEndpoints: config.max_endpoints, windowMs: config.window },
      this.#startMs,
    );
    this.#screen = new LiveScreen(output);
    if (config.explain === 'never') this.#watch.stop();
  }

  async start(): Promise<void> {
    this.#running = true;
    const intervalMs = this.#config.interval ?? (this.#live ? LIVE_INTERVAL_MS : PLAIN_INTERVAL_MS);
    if (this.#live) {
      this.#screen.open();
      this.#changed = true;
      this.#show();
    }
    this.#timers = [
      setInterval(() => this.#show(), intervalMs),
      setInterval(() => this.#explain(), WATCH_INTERVAL_MS),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  async consume(batch: Batch): Promise<void> {
    const { metrics } = this.#settings;
    metrics.received(batch.signal, batch.itemCount);
    const now = this.#settings.now();
    if (this.#watch.isWatching) this.#watch.addBatch(batch.bytes);
    let resource: ResourceView | undefined;
    let service = '';
    try {
      walkSpans(batch.bytes, (span) => {
        if (span.kind !== SpanKind.server && span.kind !== SpanKind.consumer) return;
        if (span.resource !== resource) {
          resource = span.resource;
          service = text(resource.attribute('service.name'));
        }
        this.#record(span, service, now);
      });
      metrics.sent(batch.signal, batch.itemCount);
    } catch {
      metrics.dropped(batch.signal, batch.itemCount, 'malformed');
    }
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    for (const timer of this.#timers) clearInterval(timer);
    this.#explain(true);
    this.#show();
    this.#watch.stop();
    if (this.#live) this.#screen.close();
    await this.#output.drain(deadline);
  }

  #record(span: SpanView, service: string, now: number): void {
    const durationNs = Math.max(0, span.durationNs);
    const joined = span.attribute(ATTR_CONFIDENCE) !== undefined;
    if (joined) {
      for (let i = 0; i < TIME_ATTRIBUTES.length; i += 1) {
        this.#classNs[i] = Number(span.attribute(TIME_ATTRIBUTES[i]!) ?? 0);
      }
      if (this.#watch.isWatching) this.#watch.addCandidate(span.traceId, durationNs, now);
    }
    this.#table.record(
      {
        service,
        endpoint: endpointName({
          route: text(span.attribute('http.route')),
          method: text(span.attribute('http.request.method') ?? span.attribute('http.method')),
          path: text(span.attribute('url.path') ?? span.attribute('http.target')),
          spanName: span.name,
        }),
        durationNs,
        failed:
          span.statusCode === StatusCode.error ||
          Number(span.attribute('http.response.status_code') ?? 0) >= 500,
        classNs: joined ? this.#classNs : undefined,
      },
      now,
    );
    this.#changed = true;
  }

  #show(): void {
    if (!this.#live && !this.#changed) return;
    this.#changed = false;
    const now = this.#settings.now();
    const style = this.#style();
    const head = {
      upSeconds: (now - this.#startMs) / 1000,
      windowSeconds: this.#config.window / 1000,
    };
    // Nothing clips a line in a file: the causes get the room that they need.
    const wide = this.#live ? style : { ...style, width: Math.max(style.width, PLAIN_WIDTH) };
    const lines = renderSummary(this.#table.rows(now), head, this.#config.top, wide);
    if (this.#live) this.#screen.draw(lines);
    else if (!this.#output.isBusy) this.#output.write(`${lines.join('\n')}\n\n`);
  }

  #explain(isLast = false): void {
    const trace = this.#watch.take(this.#settings.now(), isLast);
    if (trace === undefined) return;
    const lines = this.#explanation(trace, this.#style());
    if (this.#live) {
      this.#screen.print(lines);
      this.#show();
    } else this.#output.write(`${lines.join('\n')}\n`);
  }

  #explanation(trace: TraceExplanation, style: Style): string[] {
    const rule = (style.unicode ? '\u2500' : '-').repeat(style.width);
    return [
      dim(style, rule),
      'One slow request, explained:',
      '',
      ...renderTrace(trace, style, EXPLAIN_LIMITS),
      '',
      `More of it:  bin/kindling trace ${trace.traceId}`,
      'And others:  bin/kindling traces --slow',
      dim(style, rule),
      '',
    ];
  }

  #style(): Style {
    const { isTty, columns } = this.#output;
    const style = detectStyle({ isTty, columns, env: this.#env });
    // A line as wide as the terminal would wrap the cursor; wider ones than the terminal must not be.
    return this.#live && columns !== undefined
      ? { ...style, width: Math.max(1, Math.min(style.width, columns - 1)) }
      : style;
  }
}

const text = (value: AttributeValue | undefined): string => (typeof value === 'string' ? value : '');
