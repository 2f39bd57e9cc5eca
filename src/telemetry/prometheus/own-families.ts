import type { Snapshot } from '../registry.js';
import { DESCRIPTIONS, toSeries } from '../registry-metric-producer.js';
import type { Family } from './family.js';

/** Everything in the registry under our own names: `kindling.component.sent` is `kindling_component_sent`. */
export function ownFamilies(snapshot: Snapshot): Family[] {
  return [...toSeries(snapshot)].map(([name, { type, points }]) => ({
    name: nameFor(name),
    type,
    help: DESCRIPTIONS[name] ?? `${name} of the agent.`,
    points: points.map(({ attributes, value }) => ({
      labels: Object.fromEntries(Object.entries(attributes).map(([key, text]) => [nameFor(key), text])),
      value,
    })),
  }));
}

const nameFor = (name: string): string => name.replaceAll(/[^A-Za-z0-9_]/g, '_');
