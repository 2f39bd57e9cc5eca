/**
 * The agent's own numbers. One `ComponentAccount` per component instance; everything that shows numbers (the table at
 * exit, the exported metrics) reads one `snapshot()`.
 */
import type { Signal } from '../component/signal.js';
import { ComponentAccount } from './component-account.js';

/** What is counted: items of a signal, or kernel events. */
export type Unit = Signal | 'events';

export interface ComponentIdentity {
  /** `type[/name]`. */
  readonly id: string;
  readonly kind: 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension' | 'agent';
  /** Tells instances of one id apart: pipeline of a processor, signal of an exporter, signals of a connector. */
  readonly instance?: string;
}

/** received = sent + dropped + held + unaccounted, and `unaccounted` is 0 unless a component has a bug. */
export interface AccountLine {
  readonly component: ComponentIdentity;
  readonly unit: Unit;
  readonly received: number;
  readonly sent: number;
  /** Items by reason; never negative, reasons with 0 are left out. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly held: number;
  readonly unaccounted: number;
}

/** One further counter or gauge of a component. */
export interface Sample {
  readonly component: ComponentIdentity;
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Snapshot {
  readonly accounts: readonly AccountLine[];
  readonly samples: readonly Sample[];
}

export class MetricsRegistry {
  readonly #accounts = new Map<string, ComponentAccount>();

  /** The account of a component instance; the same one when asked again (a reload keeps counting). */
  account(identity: ComponentIdentity): ComponentAccount {
    const key = `${identity.kind} ${identity.id} ${identity.instance ?? ''}`;
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = new ComponentAccount(identity);
      this.#accounts.set(key, account);
    }
    return account;
  }

  snapshot(): Snapshot {
    const accounts = [...this.#accounts.values()];
    return {
      accounts: accounts.flatMap((account) => account.lines()),
      samples: accounts.flatMap((account) => account.samples()),
    };
  }
}
