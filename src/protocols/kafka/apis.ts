/** The kinds of requests, by their key; layouts are made ready at the first message of a version. */
import { compileLayout, type LayoutNode } from './layout.js';
import { MESSAGES } from './messages.js';

export const API = {
  produce: 0,
  fetch: 1,
  metadata: 3,
  controlledShutdown: 7,
  offsetCommit: 8,
  joinGroup: 11,
  syncGroup: 14,
  saslHandshake: 17,
  apiVersions: 18,
  txnOffsetCommit: 28,
  shareFetch: 78,
  shareAcknowledge: 79,
} as const;

export class KafkaApi {
  readonly key: number;
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
  /** First version with compact lengths and tagged fields; Infinity: none. */
  readonly flexible: number;
  readonly #request: string;
  readonly #response: string;
  readonly #requests: (readonly LayoutNode[] | undefined)[] = [];
  readonly #responses: (readonly LayoutNode[] | undefined)[] = [];

  constructor(head: string, request: string, response: string) {
    const [key = '', name = '', versions = '', flexible = ''] = head.split(' ');
    const [lowest = '', highest = ''] = versions.split('-');
    this.key = Number(key);
    this.name = name;
    this.lowest = Number(lowest);
    this.highest = Number(highest);
    this.flexible = flexible === '-' ? Number.POSITIVE_INFINITY : Number(flexible);
    this.#request = request;
    this.#response = response;
  }

  knows(version: number): boolean {
    return version >= this.lowest && version <= this.highest;
  }

  request(version: number): readonly LayoutNode[] {
    this.#requests[version] ??= compileLayout(this.#request, version, this.flexible);
    return this.#requests[version];
  }

  response(version: number): readonly LayoutNode[] {
    this.#responses[version] ??= compileLayout(this.#response, version, this.flexible);
    return this.#responses[version];
  }
}

const APIS: readonly KafkaApi[] = MESSAGES.trim()
  .split(/\n(?=\d)/)
  .map((text) => {
    const [head = '', request = '', response = ''] = text.split('\n');
    return new KafkaApi(head, request.slice(2), response.slice(2));
  });

/** The request of that key, undefined for one that is newer than this table. */
export const apiOf = (key: number): KafkaApi | undefined => APIS[key];
