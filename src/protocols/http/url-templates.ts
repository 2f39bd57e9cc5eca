/**
 * The templates of paths, for each service and side (what it serves and what it calls are different APIs).
 * A path that was seen before costs one look-up.
 */
import { Http2Detail } from '../http2/detail.js';
import { type HttpDetail, originPath } from './describe.js';
import { type NodeBudget, TemplateTree } from './template-tree.js';
import { UrlRules } from './url-rules.js';
import { segmentsOf, type UrlTemplate, type UrlTemplateOptions } from './url-template.js';

/** Services and sides that are remembered; the least recently met is forgotten. */
const MAX_SERVICES = 128;
/** Nodes of all their trees together: 25 MB. */
const MAX_NODES = 100_000;
/** Paths of one service that are remembered, and how long they may be. */
const MAX_PATHS = 512;
const LONGEST_PATH = 256;

/** Answers to what nobody serves: scanners must not fill the tree. */
const teaches = (statusCode: number): boolean => statusCode !== 404 && statusCode !== 405;

/** What is known of one service's paths at one side. */
export interface ServicePaths {
  readonly tree: TemplateTree;
  readonly known: Map<string, UrlTemplate>;
  generation: number;
  /** It was forgotten: ask for another. */
  released: boolean;
}

export class UrlTemplates {
  /** Paths that got a shorter template, ending in `*`, than they have segments: the bound was reached, or they are deep. */
  shortened = 0;
  readonly #options: UrlTemplateOptions;
  readonly #rules: UrlRules;
  readonly #services = new Map<string, ServicePaths>();
  readonly #budget: NodeBudget = { left: MAX_NODES };

  constructor(options: UrlTemplateOptions) {
    this.#options = options;
    this.#rules = new UrlRules(options.rules);
  }

  /** Learned templates in use. */
  get nodes(): number {
    return MAX_NODES - this.#budget.left;
  }

  /** For `of`. Callers may keep it until it says `released`. */
  service(name: string, side: 'client' | 'server'): ServicePaths {
    const key = `${side} ${name}`;
    let service = this.#services.get(key);
    if (service !== undefined) {
      this.#services.delete(key);
    } else {
      this.#makeRoom();
      const { maxValues, maxTemplates } = this.#options;
      const tree = new TemplateTree(maxValues, maxTemplates, this.#budget);
      service = { tree, known: new Map(), generation: 0, released: false };
    }
    this.#services.set(key, service);
    return service;
  }

  /** The template of an exchange; none for gRPC, whose calls are named by their method. */
  ofDetail(
    service: ServicePaths,
    detail: Pick<HttpDetail, 'method' | 'path' | 'statusCode'>,
  ): UrlTemplate | undefined {
    if (detail.method === '' || detail.method === 'CONNECT') return undefined;
    if (detail instanceof Http2Detail && detail.grpc) return undefined;
    return this.of(service, detail.path, detail.statusCode);
  }

  /** `target`: as sent, without its query. undefined: none is known, or it has no path (`CONNECT`, `OPTIONS *`). */
  of(service: ServicePaths, target: string, statusCode: number): UrlTemplate | undefined {
    const { tree, known } = service;
    if (service.generation !== tree.generation) {
      known.clear();
      service.generation = tree.generation;
    }
    const met = known.get(target);
    if (met !== undefined) return met;
    const path = originPath(target);
    if (!path.startsWith('/')) return undefined;
    const segments = segmentsOf(path);
    const template = this.#rules.find(segments) ?? this.#learned(tree, segments, statusCode);
    if (template !== undefined && target.length <= LONGEST_PATH) {
      if (known.size >= MAX_PATHS) known.clear();
      known.set(target, template);
    }
    return template;
  }

  #learned(tree: TemplateTree, segments: readonly string[], statusCode: number): UrlTemplate | undefined {
    if (this.#options.mode !== 'learned') return undefined;
    if (!teaches(statusCode)) return tree.find(segments);
    const template = tree.learn(segments);
    if (template.text.endsWith('/*')) this.shortened++;
    return template;
  }

  #makeRoom(): void {
    if (this.#services.size < MAX_SERVICES) return;
    const [oldest] = this.#services;
    if (oldest === undefined) return;
    const [key, service] = oldest;
    this.#services.delete(key);
    service.tree.release();
    service.released = true;
    service.known.clear();
  }
}
