import { release } from 'node:os';
import type { Extension, Host, Settings } from '../../component/component.js';
import { formatDuration } from '../../config/duration.js';
import { AGENT_VIEW, type AgentView, componentsOf } from '../../pipeline/agent-view.js';
import { OWN_TRACES, type OwnTraces } from '../../telemetry/own-traces.js';
import type { OpenListener } from '../../transport/listen.js';
import { NOT_FOUND, type Page, servePages } from '../../transport/page-server.js';
import type { ZpagesConfig } from './config.js';
import { htmlPage, htmlTable, link } from './html.js';
import { tracezPage } from './tracez.js';

/** The paths of a Collector's pages, with what the agent knows about itself. */
export class Zpages implements Extension {
  readonly #settings: Settings;
  readonly #config: ZpagesConfig;
  #listener: OpenListener | undefined;
  #traces: ReturnType<OwnTraces['watch']> | undefined;

  constructor(settings: Settings, config: ZpagesConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  get address(): OpenListener['address'] {
    return this.#listener?.address ?? null;
  }

  /** Rejects when the address can't be bound. */
  async start(host: Host): Promise<void> {
    const view = host.service(AGENT_VIEW);
    if (view === undefined) throw new Error('nothing is known about the agent');
    const traces = host.service(OWN_TRACES)?.watch();
    this.#traces = traces;
    try {
      this.#listener = await servePages(this.#config.endpoint, (url) => this.#page(view, url));
    } catch (error) {
      traces?.stop();
      throw error;
    }
    this.#settings.logger.info('Starting zPages extension', { endpoint: this.#config.endpoint });
  }

  async shutdown(): Promise<void> {
    this.#traces?.stop();
    await this.#listener?.close();
  }

  #page(view: AgentView, { pathname, searchParams }: URL): Page {
    switch (pathname) {
      case '/debug/servicez':
        return html('Service', servicePage(view, this.#settings.now()));
      case '/debug/pipelinez':
        return html('Pipelines', pipelinesPage(view));
      case '/debug/extensionz':
        return html('Extensions', extensionsPage(view));
      case '/debug/featurez':
        return html('Feature gates', featuresPage(view));
      case '/debug/tracez':
        return this.#traces === undefined
          ? NOT_FOUND
          : html('Trace spans', tracezPage(this.#traces.samples, searchParams));
      case '/debug/expvarz':
        return this.#config.expvar.enabled ? expvarPage(view) : NOT_FOUND;
      default:
        return NOT_FOUND;
    }
  }
}

const html = (title: string, content: string): Page => ({
  type: 'text/html; charset=utf-8',
  body: htmlPage(title, content),
});

function servicePage(view: AgentView, nowMs: number): string {
  const facts = htmlTable(
    ['Property', 'Value'],
    [
      ['Command', 'kindling'],
      ['Version', view.version],
      ['Node.js', process.version],
      ['Kernel', release()],
      ['Start time', new Date(view.startedAtMs).toISOString()],
      ['Running for', formatDuration(nowMs - view.startedAtMs)],
      [
        'Ready',
        view.readySinceMs === undefined ? 'no' : `since ${new Date(view.readySinceMs).toISOString()}`,
      ],
      ['Resident memory', `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`],
    ],
  );
  const pages = ['pipelinez', 'extensionz', 'featurez', 'tracez'].map((name) => [link(name, name)]);
  return `${facts}<h2>More</h2>\n${htmlTable(['Page'], pages)}`;
}

function pipelinesPage(view: AgentView): string {
  const overview = htmlTable(
    ['Pipeline', 'Receivers', 'Processors', 'Exporters'],
    view.pipelines.map(({ id, receivers, processors, exporters }) => [
      id,
      receivers.join(', '),
      processors.join(', '),
      exporters.join(', '),
    ]),
  );
  const { accounts } = view.snapshot();
  const details = view.pipelines.map((pipeline) => {
    const rows = componentsOf(view, pipeline).map(({ identity, event }) => {
      const line = accounts.find(
        ({ component, unit }) =>
          unit === pipeline.signal &&
          component.kind === identity.kind &&
          component.id === identity.id &&
          component.instance === identity.instance,
      );
      const dropped = Object.entries(line?.dropped ?? {}).map(([reason, items]) => `${reason}: ${items}`);
      return [
        `${identity.kind} ${identity.id}`,
        event.error === '' ? event.status : `${event.status}: ${event.error}`,
        String(line?.received ?? 0),
        String(line?.sent ?? 0),
        String(line?.held ?? 0),
        dropped.join(', '),
      ];
    });
    return `<h2>${pipeline.id}</h2>\n${htmlTable(['Component', 'Status', 'Received', 'Sent', 'Held', 'Dropped'], rows)}`;
  });
  return overview + details.join('');
}

/** Columns of a Collector's page. */
function featuresPage({ gates }: AgentView): string {
  return htmlTable(
    ['ID', 'Enabled', 'Description', 'Stage', 'From version', 'To version'],
    gates.all.map(({ id, description, stage, from, to = '' }) => [
      id,
      String(gates.isEnabled(id)),
      description,
      stage,
      from,
      to,
    ]),
  );
}

function extensionsPage(view: AgentView): string {
  const rows = view.components
    .filter(({ identity }) => identity.kind === 'extension')
    .map(({ identity, event }) => [identity.id, event.status]);
  return htmlTable(['Extension', 'Status'], rows);
}

/** Go programs have `cmdline` and `memstats` here; ours has Node.js's memory and the agent's counts. */
function expvarPage(view: AgentView): Page {
  const body = { cmdline: process.argv, memory: process.memoryUsage(), accounts: view.snapshot().accounts };
  return { type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}
