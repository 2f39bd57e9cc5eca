/** Reads what the kernel keeps of the host and its processes, at an interval. */
import { hostname } from 'node:os';
import type { Consumer, Receiver, Settings } from '../../component/component.js';
import { agentId } from '../../metrics/agent-id.js';
import { DEFAULT_AGGREGATION, type MetricBatch } from '../../metrics/aggregator.js';
import type { MetricDefinition } from '../../metrics/definition.js';
import { instanceId } from '../../metrics/instance-id.js';
import { MetricsEmitter } from '../../metrics/metrics-emitter.js';
import { ProcfsProcessTable } from '../../observer/process-table.js';
import type { AttributesInput } from '../../otlp/attribute-writer.js';
import { MetricsWriter, type NumberPointInput, Temporality } from '../../otlp/metrics-writer.js';
import { addNs, type Time64, timeFromMs } from '../../otlp/time.js';
import { VERSION } from '../../version.js';
import type { HostMetricsConfig } from './config.js';
import { HostFiles, keyedNumbers, type Measurement, type Scraper } from './measurement.js';
import { scrapeCgroup } from './scrapers/cgroup.js';
import { scrapeCpu, scrapeLoad, TICKS_PER_SECOND } from './scrapers/cpu.js';
import { scrapeDisk, scrapeFilesystem } from './scrapers/disk.js';
import { scrapeMemory, scrapePaging, scrapeSystem } from './scrapers/memory.js';
import { scrapeConnections, scrapeNetwork, scrapeTcp } from './scrapers/network.js';
import { processIds, scrapeProcess } from './scrapers/process.js';

const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.44.0';

const SCRAPERS = {
  cpu: scrapeCpu,
  load: scrapeLoad,
  memory: scrapeMemory,
  paging: scrapePaging,
  disk: scrapeDisk,
  filesystem: scrapeFilesystem,
  network: scrapeNetwork,
  connections: scrapeConnections,
  tcp: scrapeTcp,
  cgroup: scrapeCgroup,
  system: scrapeSystem,
} as const satisfies Partial<Record<keyof HostMetricsConfig['scrapers'], Scraper>>;

export class HostMetricsReceiver implements Receiver {
  readonly #config: HostMetricsConfig;
  readonly #files: HostFiles;
  readonly #processes: ProcfsProcessTable;
  readonly #emitter: MetricsEmitter | undefined;
  readonly #writer = new MetricsWriter();
  readonly #agent = agentId();
  readonly #hostName: string;
  #delay: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(settings: Settings, config: HostMetricsConfig, next: Consumer | undefined) {
    this.#config = config;
    this.#files = new HostFiles(config.root_path);
    this.#processes = new ProcfsProcessTable({ root: `${this.#files.root}/proc` });
    this.#hostName = this.#files.text('/proc/sys/kernel/hostname')?.trim() || hostname();
    const source = { collect: (now: Time64) => this.#collect(now) };
    if (next !== undefined) {
      this.#emitter = new MetricsEmitter(settings, source, next, { intervalMs: config.collection_interval });
    }
  }

  async start(): Promise<void> {
    this.#delay = setTimeout(() => {
      void this.#emitter?.emit();
      this.#emitter?.start();
    }, this.#config.initial_delay);
  }

  async shutdown(): Promise<void> {
    clearTimeout(this.#delay);
    // What it says at the end is nobody's business: readers know how things were a moment ago.
    this.#stopped = true;
    await this.#emitter?.shutdown(AbortSignal.timeout(1000));
  }

  #collect(now: Time64): MetricBatch[] {
    if (this.#stopped) return [];
    const batches: MetricBatch[] = [];
    const bootMs = 1000 * (keyedNumbers(this.#files.lines('/proc/stat')).get('btime') ?? 0);
    const boot = timeFromMs(bootMs);
    const { scrapers } = this.#config;
    const host: AttributesInput = { 'host.name': this.#hostName, 'os.type': 'linux' };
    const measurements = Object.entries(SCRAPERS).flatMap(([name, scrape]) =>
      scrapers[name as keyof typeof SCRAPERS] === undefined ? [] : scrape(this.#files),
    );
    this.#write({ 'service.name': 'host', ...host }, measurements, boot, now);
    if (scrapers.process !== undefined) this.#writeProcesses(host, boot, now, batches);
    this.#finish(batches, 0);
    return batches;
  }

  #writeProcesses(host: AttributesInput, boot: Time64, now: Time64, batches: MetricBatch[]): void {
    const { include, exclude, max_processes: max = 1000 } = this.#config.scrapers.process ?? {};
    const uptime = Number.parseFloat(this.#files.text('/proc/uptime') ?? '0');
    let count = 0;
    for (const pid of processIds(this.#files).sort((a, b) => a - b)) {
      if (count >= max) break;
      const info = this.#processes.get(pid);
      // Threads of the kernel have no image.
      if (info === undefined || info.commandLine.length === 0) continue;
      if ((include?.commands.length ?? 0) > 0 && include?.commands.includes(info.comm) !== true) continue;
      if (exclude?.commands.includes(info.comm) === true) continue;
      const found = scrapeProcess(this.#files, pid, uptime);
      if (found === undefined) continue;
      count++;
      const executable = info.executable.slice(info.executable.lastIndexOf('/') + 1);
      const resource: AttributesInput = {
        'service.name': info.serviceName,
        ...host,
        ...info.resourceAttributes,
        'process.pid': pid,
        'process.executable.name': executable || info.comm,
        'process.executable.path': info.executable || undefined,
      };
      const start = addNs(boot, Math.round((found.startTicks / TICKS_PER_SECOND) * 1e9));
      this.#write(resource, found.measurements, start, now);
      this.#finish(batches, DEFAULT_AGGREGATION.batchBytes);
    }
  }

  #write(resource: AttributesInput, measurements: readonly Measurement[], start: Time64, time: Time64): void {
    if (measurements.length === 0) return;
    const writer = this.#writer;
    const id = instanceId(this.#agent, resource);
    writer.resource({ ...resource, 'service.instance.id': id }, SCHEMA_URL);
    writer.scope('kindling/host', VERSION, undefined, SCHEMA_URL);
    const byMetric = new Map<MetricDefinition, NumberPointInput[]>();
    for (const { metric, attributes, value } of measurements) {
      const number =
        metric.isDouble === true || !Number.isSafeInteger(value) ? { asDouble: value } : { asInt: value };
      const startTime = metric.kind === 'gauge' ? undefined : start;
      const points = byMetric.get(metric) ?? [];
      points.push({ attributes, startTime, time, ...number });
      byMetric.set(metric, points);
    }
    for (const [metric, points] of byMetric) {
      if (metric.kind === 'gauge') writer.gauge(metric, points);
      else {
        const isMonotonic = metric.kind === 'counter';
        writer.sum({ ...metric, temporality: Temporality.cumulative, isMonotonic }, points);
      }
    }
  }

  #finish(batches: MetricBatch[], fromBytes: number): void {
    const { itemCount, sizeBytes } = this.#writer;
    if (itemCount > 0 && sizeBytes >= fromBytes) batches.push({ itemCount, bytes: this.#writer.finish() });
  }
}
