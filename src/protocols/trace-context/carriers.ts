import type { WireContext } from '../../observer/types.js';
import { B3_CARRIER, B3_MULTI_CARRIER } from './b3.js';
import { SW8_CARRIER } from './sw8.js';
import { UBER_CARRIER } from './uber.js';
import { W3C_CARRIER } from './w3c.js';

/** A way to carry a trace in headers. */
export interface ContextCarrier {
  /** Lower-case header names. Without the first one there is no context; it is shown as the context's `carrier`. */
  readonly headers: readonly string[];
  /** `values` in the order of `headers`; undefined for one that is absent. Never throws. */
  read(values: readonly (string | undefined)[]): WireContext | undefined;
}

/** Best first: the first carrier that yields a context wins. */
const CARRIERS: readonly ContextCarrier[] = [
  W3C_CARRIER,
  SW8_CARRIER,
  UBER_CARRIER,
  B3_CARRIER,
  B3_MULTI_CARRIER,
];

/** Every header that some carrier needs; parsers hand back values in this order. */
export const CONTEXT_HEADERS: readonly string[] = CARRIERS.flatMap((carrier) => carrier.headers);

/** The context in `values` (of `CONTEXT_HEADERS`), or undefined when there is none or none is valid. */
export function readWireContext(values: readonly (string | undefined)[]): WireContext | undefined {
  let first = 0;
  for (const carrier of CARRIERS) {
    const last = first + carrier.headers.length;
    if (values[first] !== undefined) {
      const context = carrier.read(values.slice(first, last));
      if (context !== undefined) return context;
    }
    first = last;
  }
  return undefined;
}
