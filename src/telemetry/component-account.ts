import type { ComponentMetrics } from './metrics.js';
import type { AccountLine, ComponentIdentity, Sample, Unit } from './registry.js';

/** Most label sets of one counter or gauge; what comes after is added up under `overflow="true"`. */
const MAX_SERIES = 2000;

/** Of the shortcut to samples; the others go the long way. */
const MAX_KNOWN = 2 * MAX_SERIES;

type MutableSample = { -readonly [Key in keyof Sample]: Sample[Key] };

/** What the pipeline saw pass at the edges of a component, for components that do not count by themselves. */
export interface EdgeCounter {
  received(unit: Unit, items: number): void;
  sent(unit: Unit, items: number): void;
  dropped(unit: Unit, items: number, reason: string): void;
  /** Items that went in and for which the component has not answered yet: +n before, -n after. */
  open(unit: Unit, change: number): void;
}

interface Tally {
  received: number | undefined;
  sent: number | undefined;
  dropped: Map<string, number>;
  held: number | undefined;
  open: number;
}

const emptyTally = (): Tally => ({
  received: undefined,
  sent: undefined,
  dropped: new Map(),
  held: undefined,
  open: 0,
});

/**
 * The numbers of one component instance.
 *
 * `own` is what the component itself counts; `edges` is what the pipeline observes around it. A component that holds,
 * splits or merges items must count by itself, since only it knows; for all others the edges are enough. For a unit whose
 * `received` the component counts, only its own figures are used. Otherwise the edges are, and what the component
 * reports as dropped (items that it took out of batches that it passed on) comes on top.
 */
export class ComponentAccount {
  readonly identity: ComponentIdentity;
  readonly own: ComponentMetrics;
  readonly edges: EdgeCounter;
  readonly #own = new Map<Unit, Tally>();
  readonly #edges = new Map<Unit, Tally>();
  readonly #series = new Map<string, Map<string, MutableSample>>();
  /** The same samples by name and labels in the order in which callers write them, which saves sorting each time. */
  readonly #known = new Map<string, MutableSample>();

  constructor(identity: ComponentIdentity) {
    this.identity = identity;
    this.edges = tallyInto(this.#edges);
    this.own = {
      ...tallyInto(this.#own),
      held: (unit, items) => {
        tallyOf(this.#own, unit).held = items;
      },
      stillHeld: (unit) => this.#own.get(unit)?.held ?? 0,
      count: (name, value, labels = {}) => this.#record('counter', name, value, labels),
      gauge: (name, value, labels = {}) => this.#record('gauge', name, value, labels),
    };
  }

  lines(): AccountLine[] {
    const units = new Set([...this.#edges.keys(), ...this.#own.keys()]);
    return [...units].map((unit) => {
      const own = this.#own.get(unit);
      const edges = this.#edges.get(unit) ?? emptyTally();
      const whole = own?.received !== undefined;
      const received = own?.received ?? edges.received ?? 0;
      const sent = (whole ? own.sent : edges.sent) ?? 0;
      const dropped = whole
        ? Object.fromEntries(own.dropped)
        : added(edges.dropped, own?.dropped ?? new Map());
      const lost = Object.values(dropped).reduce((sum, items) => sum + items, 0);
      const rest = received - sent - lost;
      // Without a figure of its own, a component holds what it has been given and not answered for.
      const held = own?.held ?? (edges.open > 0 ? Math.max(0, rest) : 0);
      return {
        component: this.identity,
        unit,
        received,
        sent,
        dropped,
        held,
        unaccounted: rest - held,
      };
    });
  }

  samples(): Sample[] {
    return [...this.#series.values()].flatMap((series) => [...series.values()].map((one) => ({ ...one })));
  }

  #record(type: Sample['type'], name: string, value: number, labels: Readonly<Record<string, string>>): void {
    let place = name;
    for (const label in labels) place += `\n${label}=${labels[label]}`;
    let sample = this.#known.get(place);
    if (sample === undefined) {
      sample = this.#sampleOf(type, name, labels);
      if (this.#known.size < MAX_KNOWN) this.#known.set(place, sample);
    }
    sample.type = type;
    sample.value = type === 'counter' ? sample.value + value : value;
  }

  /** Makes it when it is new. */
  #sampleOf(type: Sample['type'], name: string, labels: Readonly<Record<string, string>>): MutableSample {
    let series = this.#series.get(name);
    if (series === undefined) {
      series = new Map();
      this.#series.set(name, series);
    }
    let used = labels;
    let key = seriesKey(labels);
    if (!series.has(key) && series.size >= MAX_SERIES) {
      used = { overflow: 'true' };
      key = seriesKey(used);
    }
    let sample = series.get(key);
    if (sample === undefined) {
      sample = { component: this.identity, name, type, labels: used, value: 0 };
      series.set(key, sample);
    }
    return sample;
  }
}

function added(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): Record<string, number> {
  const sum = new Map(a);
  for (const [reason, items] of b) sum.set(reason, (sum.get(reason) ?? 0) + items);
  return Object.fromEntries(sum);
}

const seriesKey = (labels: Readonly<Record<string, string>>): string =>
  Object.keys(labels)
    .sort()
    .map((name) => `${name}=${labels[name]}`)
    .join('\n');

function tallyOf(tallies: Map<Unit, Tally>, unit: Unit): Tally {
  let tally = tallies.get(unit);
  if (tally === undefined) {
    tally = emptyTally();
    tallies.set(unit, tally);
  }
  return tally;
}

function tallyInto(tallies: Map<Unit, Tally>): EdgeCounter {
  return {
    received: (unit, items) => {
      const tally = tallyOf(tallies, unit);
      tally.received = (tally.received ?? 0) + items;
    },
    sent: (unit, items) => {
      const tally = tallyOf(tallies, unit);
      tally.sent = (tally.sent ?? 0) + items;
    },
    dropped: (unit, items, reason) => {
      if (items === 0) return;
      const { dropped } = tallyOf(tallies, unit);
      dropped.set(reason, (dropped.get(reason) ?? 0) + items);
    },
    open: (unit, change) => {
      tallyOf(tallies, unit).open += change;
    },
  };
}
