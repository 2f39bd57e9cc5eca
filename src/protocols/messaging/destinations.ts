/**
 * Destinations as names of low cardinality: topics and subjects often hold the id of a device, an order or a session.
 *
 *     devices/4711/temperature          devices/{id}/temperature
 *     orders.7f3a91c2.created           orders.{id}.created
 */
import { ID, looksLikeId } from '../identifier.js';

/** Different names that one protocol may show; later ones leave the operation alone as the span's name. */
const MAX_NAMES = 1024;
/** Remembered destinations, so that each is looked at once. */
const MAX_KNOWN = 8192;

export class Destinations {
  readonly #separator: string;
  readonly #names = new Set<string>();
  readonly #known = new Map<string, string>();

  /** `separator`: what stands between the parts of a destination. */
  constructor(separator: string) {
    this.#separator = separator;
  }

  /** The name, `destination` itself where nothing in it looks like an id; '' when there are too many of them. */
  of(destination: string): string {
    if (destination === '') return '';
    const known = this.#known.get(destination);
    if (known !== undefined) return known;
    const name = this.admit(withoutIds(destination, this.#separator));
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(destination, name);
    return name;
  }

  /** A name that is known to be of low cardinality; '' when there are too many. */
  admit(name: string): string {
    if (this.#names.has(name)) return name;
    if (this.#names.size >= MAX_NAMES) return '';
    this.#names.add(name);
    return name;
  }
}

/** Names longer than this are cut: they are shown and compared. */
const LONGEST = 200;

export function withoutIds(destination: string, separator: string): string {
  const parts = destination.slice(0, LONGEST).split(separator);
  for (let i = 0; i < parts.length; i++) if (looksLikeId(parts[i]!)) parts[i] = ID;
  return parts.join(separator);
}
