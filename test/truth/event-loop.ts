/**
 * A simulated event loop that knows the truth: requests run scripts of CPU, outbound calls and timers; the
 * loop serves them by turns, in the order in which they become ready. It leaves the records that a kernel would have
 * written, and for each request what its time was in fact.
 */
import { batchOf, OTHER_TRACE, type SpanSpec, spanId, type World } from '../unit/observer/join-helpers.js';
import { MS, randomFrom } from '../unit/observer/timeline-helpers.js';

/** What a request does after its CPU: `cpu` ns on the loop, then one of these, and so on. */
type Step = { readonly cpu: number } & (
  | { readonly kind: 'call'; readonly ns: number }
  | { readonly kind: 'timer'; readonly ns: number }
  | { readonly kind: 'respond' }
);

/** `busy`: ready, while the loop served others. */
export type TruthClass = 'cpu' | 'net' | 'idle' | 'busy';

export interface SimulatedRequest {
  readonly traceId: string;
  readonly parent: string;
  readonly start: number;
  end: number;
  readonly truth: Record<TruthClass, number>;
}

interface Running extends SimulatedRequest {
  readonly number: number;
  readonly cookie: number;
  readonly steps: Step[];
  /** Cookie of the call under way. */
  asked: number;
  askedAt: number;
  calls: number;
}

interface Ready {
  readonly at: number;
  readonly kind: 'request' | 'answer' | 'timer';
  readonly request: Running;
}

const APP = 10;
const PORT = 5432;

export interface SimulationOptions {
  readonly seed: number;
  readonly requests: number;
  /** Mean time between arrivals, ns. */
  readonly interval: number;
  readonly timers: boolean;
  /** Requests and calls carry a trace context. */
  readonly contexts: boolean;
}

/** Runs the simulation into `world`; the records are delivered by `world.play`. */
export function simulateEventLoop(world: World, options: SimulationOptions): SimulatedRequest[] {
  const random = randomFrom(options.seed);
  const loop = world.thread(APP, APP, 1000 * MS);
  const queue: Ready[] = [];
  const all: Running[] = [];
  let arrival = loop.now + 5 * MS;
  for (let number = 0; number < options.requests; number++) {
    arrival += Math.round(options.interval * 2 * random());
    queue.push({ at: arrival, kind: 'request', request: newRequest(number, arrival, options, random) });
  }
  while (queue.length > 0) {
    queue.sort((a, b) => a.at - b.at);
    if (queue[0]!.at > loop.now) loop.epoll(queue[0]!.at - loop.now);
    else loop.run(1_000);
    // One tick: everything that is ready now, as epoll gives it.
    const count = queue.findIndex(({ at }) => at > loop.now);
    for (const event of queue.splice(0, count < 0 ? queue.length : count)) {
      handle(event);
    }
    loop.run(500);
  }
  loop.epoll(500 * MS);
  return all;

  function handle({ at, kind, request }: Ready): void {
    loop.run(2_000);
    if (kind === 'request') {
      loop.receive(request.cookie, 'server');
      (request as { start: number }).start = loop.now;
      all.push(request);
    } else {
      request.truth.busy += loop.now - at;
      if (kind === 'answer') {
        loop.receive(request.asked, 'client', PORT);
        request.truth.net += at - request.askedAt;
        finishCall(request);
      } else request.truth.idle += at - request.askedAt;
    }
    const step = request.steps.shift()!;
    const from = loop.now;
    loop.run(step.cpu);
    if (step.kind === 'respond') {
      loop.send(request.cookie, 'server');
      request.end = loop.now;
    } else if (step.kind === 'call') {
      request.asked = 100_000 + request.number * 100 + request.calls++;
      loop.send(request.asked, 'client', PORT);
    }
    request.truth.cpu += loop.now - from;
    request.askedAt = loop.now;
    if (step.kind === 'respond') finishRequest(request);
    else queue.push({ at: loop.now + step.ns, kind: step.kind === 'call' ? 'answer' : 'timer', request });
  }

  function finishCall(request: Running): void {
    if (!options.contexts) return;
    world.exchange({
      role: 'client',
      tgid: APP,
      requestTid: APP,
      responseTid: APP,
      socketCookie: request.asked,
      requestStart: request.askedAt,
      responseStart: loop.now,
      responseEnd: loop.now,
      context: {
        traceId: request.traceId,
        spanId: spanId(request.asked),
        sampled: true,
        carrier: 'traceparent',
      },
    });
  }

  function finishRequest(request: Running): void {
    world.exchange({
      role: 'server',
      tgid: APP,
      requestTid: APP,
      responseTid: APP,
      socketCookie: request.cookie,
      requestStart: request.start,
      responseEnd: request.end,
      context: { traceId: request.traceId, spanId: request.parent, sampled: true, carrier: 'traceparent' },
    });
  }
}

function newRequest(
  number: number,
  start: number,
  options: SimulationOptions,
  random: () => number,
): Running {
  const steps: Step[] = [];
  const cpu = (): number => 20_000 + Math.round(random() * 500_000);
  for (let count = Math.floor(random() * 4); count > 0; count--) {
    const kind = options.timers && random() < 0.3 ? 'timer' : 'call';
    steps.push({ cpu: cpu(), kind, ns: MS + Math.round(random() * 10 * MS) });
  }
  steps.push({ cpu: cpu(), kind: 'respond' });
  return {
    number,
    cookie: 1 + number,
    traceId: OTHER_TRACE.slice(0, 24) + number.toString(16).padStart(8, '0'),
    parent: spanId(1_000_000 + number),
    start,
    end: 0,
    truth: { cpu: 0, net: 0, idle: 0, busy: 0 },
    steps,
    asked: 0,
    askedAt: 0,
    calls: 0,
  };
}

/** The requests' spans, as their SDK would send them. */
export const spansFor = (requests: readonly SimulatedRequest[]): Uint8Array =>
  batchOf(
    requests.map(
      ({ traceId, parent, start, end }, index): SpanSpec => ({
        traceId,
        spanId: spanId(2_000_000 + index),
        parentSpanId: parent,
        kind: 2,
        start,
        end,
      }),
    ),
  );

export const SIMULATED_PROCESS = APP;
