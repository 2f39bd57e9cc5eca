/** Component metrics that remember what was counted. */
import type { ComponentMetrics } from '../../src/telemetry/metrics.js';

export class RecordedMetrics implements ComponentMetrics {
  receivedItems = 0;
  sentItems = 0;
  heldItems = 0;
  readonly droppedItems: Record<string, number> = {};
  readonly counts: Record<string, number> = {};
  readonly gauges: Record<string, number> = {};

  received(_signal: string, items: number): void {
    this.receivedItems += items;
  }
  sent(_signal: string, items: number): void {
    this.sentItems += items;
  }
  dropped(_signal: string, items: number, reason: string): void {
    this.droppedItems[reason] = (this.droppedItems[reason] ?? 0) + items;
  }
  held(_signal: string, items: number): void {
    this.heldItems = items;
  }
  count(name: string, value: number): void {
    this.counts[name] = (this.counts[name] ?? 0) + value;
  }
  gauge(name: string, value: number): void {
    this.gauges[name] = value;
  }

  get allDropped(): number {
    return Object.values(this.droppedItems).reduce((sum, items) => sum + items, 0);
  }

  /** received - (sent + dropped + held): zero when nothing was lost silently. */
  get unaccounted(): number {
    return this.receivedItems - this.sentItems - this.allDropped - this.heldItems;
  }
}
