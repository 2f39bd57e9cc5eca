import type { CreateJoinEngine } from './join-types.js';

const nothing = (): void => {};

/** The join of an observer that has no `trace_profiling` processor to answer: every exchange becomes a span at once. */
export const createPassThroughEngine: CreateJoinEngine = ({ emitExchange, answer }) => ({
  wait: nothing,
  sample: nothing,
  exec: nothing,
  exit: nothing,
  exchange: (exchange) => emitExchange(exchange, undefined),
  query: (id) => answer(id, []),
  advance: nothing,
  flush: nothing,
  stats: () => ({}),
});
