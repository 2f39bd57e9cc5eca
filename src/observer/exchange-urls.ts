/** Gives HTTP exchanges the templates of their paths, by the service that they were seen in. */
import type { UrlTemplateOptions } from '../protocols/http/url-template.js';
import { type ServicePaths, UrlTemplates } from '../protocols/http/url-templates.js';
import type { Exchange, ProcessTable } from './types.js';

/** Processes of which the service is remembered. */
const MAX_PROCESSES = 1024;

export class ExchangeUrls {
  readonly #templates: UrlTemplates;
  readonly #processes: ProcessTable;
  readonly #services = { client: new Map<number, ServicePaths>(), server: new Map<number, ServicePaths>() };

  constructor(options: UrlTemplateOptions, processes: ProcessTable) {
    this.#templates = new UrlTemplates(options);
    this.#processes = processes;
  }

  /** Sets `exchange.urlTemplate` where there is one. */
  name(exchange: Exchange): void {
    const { http, role, tgid } = exchange;
    // Other protocols.
    if (http.method === '') return;
    const known = this.#services[role].get(tgid);
    const service = known === undefined || known.released ? this.#look(tgid, role) : known;
    exchange.urlTemplate = this.#templates.ofDetail(service, http);
  }

  /** The process may be another service by now. */
  processChanged(tgid: number): void {
    this.#services.client.delete(tgid);
    this.#services.server.delete(tgid);
  }

  stats(): Record<string, number> {
    return { url_templates_held: this.#templates.nodes, url_templates_shortened: this.#templates.shortened };
  }

  #look(tgid: number, role: Exchange['role']): ServicePaths {
    const services = this.#services[role];
    if (services.size >= MAX_PROCESSES) services.clear();
    const service = this.#templates.service(
      this.#processes.get(tgid)?.serviceName ?? 'unknown_service',
      role,
    );
    services.set(tgid, service);
    return service;
  }
}
