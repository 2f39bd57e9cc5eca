/**
 * Learns the templates of one service's paths. A tree of segments: what looks like an id is `{id}` at once; a position
 * with too many different words becomes `{id}` as well and forgets them.
 *
 *     /orders/17, /orders/18             /orders/{id}
 *     /users/alice, /users/bob, …        /users/alice, /users/bob, …, then /users/{id}
 *
 * The templates of one length are never more than `2 * maxTemplates`, whatever the paths are: a tree makes at most
 * `maxTemplates` nodes of a depth in its life, and what needs one more ends at its last node, as `/a/b/*`.
 */
import { ID, looksLikeId } from '../identifier.js';
import type { UrlTemplate } from './url-template.js';

/** Segments that a template tells apart; the rest of longer paths is `*`. */
const MAX_DEPTH = 8;

/** Nodes of all trees together, about 250 bytes each. */
export interface NodeBudget {
  left: number;
}

interface Node {
  /** Path from the root, '' for the root. */
  readonly text: string;
  /** Words; undefined when there were too many of them. */
  words: Map<string, Node> | undefined;
  /** What looks like an id, and every word when there were too many. */
  id: Node | undefined;
  template: UrlTemplate | undefined;
  rest: UrlTemplate | undefined;
}

const createNode = (text: string): Node => ({
  text,
  words: new Map(),
  id: undefined,
  template: undefined,
  rest: undefined,
});

export class TemplateTree {
  /** Changes when templates that were given out before are no longer what they would be. */
  generation = 0;
  /** Nodes in use, for the budget. */
  size = 0;
  readonly #root = createNode('');
  readonly #made = new Uint32Array(MAX_DEPTH);
  readonly #maxValues: number;
  readonly #maxTemplates: number;
  readonly #budget: NodeBudget;

  constructor(maxValues: number, maxTemplates: number, budget: NodeBudget) {
    this.#maxValues = maxValues;
    this.#maxTemplates = maxTemplates;
    this.#budget = budget;
  }

  /** The template of a path, and the tree knows it from now on. */
  learn(segments: readonly string[]): UrlTemplate {
    let node = this.#root;
    for (let depth = 0; depth < segments.length; depth++) {
      const next = depth === MAX_DEPTH ? undefined : this.#step(node, segments[depth]!, depth);
      if (next === undefined) {
        node.rest ??= { text: `${node.text}/*`, isRoute: false };
        return node.rest;
      }
      node = next;
    }
    node.template ??= { text: node.text === '' ? '/' : node.text, isRoute: false };
    return node.template;
  }

  /** The template of a path that is known already: nothing is learned of it. */
  find(segments: readonly string[]): UrlTemplate | undefined {
    let node: Node | undefined = this.#root;
    for (const segment of segments) {
      node = node.words === undefined || looksLikeId(segment) ? node.id : node.words.get(segment);
      if (node === undefined) return undefined;
    }
    return node.template;
  }

  /** Gives everything back. The tree must not be used any more. */
  release(): void {
    this.#budget.left += this.size;
    this.size = 0;
  }

  #step(node: Node, segment: string, depth: number): Node | undefined {
    const known = node.words?.get(segment);
    if (known !== undefined) return known;
    if (node.words !== undefined && !looksLikeId(segment)) {
      if (node.words.size < this.#maxValues) {
        const word = this.#create(`${node.text}/${segment}`, depth);
        if (word !== undefined) node.words.set(segment, word);
        return word;
      }
      this.#forgetWords(node);
    }
    node.id ??= this.#create(`${node.text}/${ID}`, depth);
    return node.id;
  }

  #create(text: string, depth: number): Node | undefined {
    if (this.#made[depth]! >= this.#maxTemplates || this.#budget.left === 0) return undefined;
    this.#made[depth]!++;
    this.#budget.left--;
    this.size++;
    return createNode(text);
  }

  #forgetWords(node: Node): void {
    let freed = 0;
    for (const word of node.words!.values()) freed += countNodes(word);
    node.words = undefined;
    this.size -= freed;
    this.#budget.left += freed;
    this.generation++;
  }
}

function countNodes(node: Node): number {
  let count = 1;
  if (node.words !== undefined) for (const word of node.words.values()) count += countNodes(word);
  return node.id === undefined ? count : count + countNodes(node.id);
}
