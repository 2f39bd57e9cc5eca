/**
 * Which protocol does a connection speak, and which end asks? Decided by content: every protocol says how sure it is of
 * the beginning of each run (the bytes that one end sends before the other one does), and what several runs say adds up:
 *
 *     sure of runs a, b: 1 − (1 − a)(1 − b)          a run that does not fit halves what was believed before
 *
 * Ports and what was learnt of the server only break ties.
 */
import { type AnyProtocol, DECIDED, POSSIBLE, type Side, UNDECIDED } from './protocol.js';

/** Bytes at the beginning of a run that are looked at again when more of them arrive. */
const LONGEST_START = 1024;
/** Runs after which the best guess counts, or nothing. */
const MAX_RUNS = 12;
const PORT_BONUS = 8;
const MEMORY_BONUS = 20;

export interface Recognised {
  readonly protocol: AnyProtocol;
  /** The end that sent egress bytes is the client. */
  readonly localIsClient: boolean;
}

export class Recognition {
  readonly #protocols: readonly AnyProtocol[];
  /** Belief from earlier runs, and the verdict on this one; for each protocol. */
  readonly #before: Float64Array;
  readonly #now: Float64Array;
  /** Votes for "the local end is the client" (> 0) or the server. */
  readonly #votes: Float64Array;
  #start: Buffer = NOTHING;
  #runEgress: boolean | undefined;
  #runs = 0;

  constructor(protocols: readonly AnyProtocol[]) {
    this.#protocols = protocols;
    this.#before = new Float64Array(protocols.length);
    this.#now = new Float64Array(protocols.length);
    this.#votes = new Float64Array(protocols.length);
  }

  /** It has seen enough: take `best` or give up. */
  get exhausted(): boolean {
    return this.#runs > MAX_RUNS;
  }

  /**
   * Looks at the next bytes. `localIsClient` where the connection's opening was seen. `bonus`: what is known of a
   * protocol's chance beside the bytes.
   */
  look(
    egress: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    localIsClient: boolean | undefined,
    bonus: (protocol: AnyProtocol) => number,
  ): Recognised | undefined {
    if (end === start) return undefined;
    let from = start;
    let source = bytes;
    let until = end;
    if (egress === this.#runEgress) {
      // More of the same run: of interest while its beginning is short.
      if (this.#start.length === 0 || this.#start.length >= LONGEST_START) return undefined;
      const more = bytes.subarray(start, Math.min(end, start + LONGEST_START - this.#start.length));
      this.#start = Buffer.concat([this.#start, more]);
      source = this.#start;
      from = 0;
      until = source.length;
    } else {
      this.#nextRun(egress);
      if (end - start < LONGEST_START) this.#start = Buffer.from(bytes.subarray(start, end));
    }
    return this.#verdicts(egress, source, from, until, localIsClient, bonus);
  }

  /** The best guess so far when there is one that leads clearly. */
  best(bonus: (protocol: AnyProtocol) => number): Recognised | undefined {
    return this.#leader(POSSIBLE, bonus);
  }

  #nextRun(egress: boolean): void {
    const now = this.#now;
    for (let i = 0; i < now.length; i++) {
      this.#before[i] = this.#belief(i);
      now[i] = 0;
    }
    this.#runEgress = egress;
    this.#start = NOTHING;
    this.#runs++;
  }

  #verdicts(
    egress: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    localIsClient: boolean | undefined,
    bonus: (protocol: AnyProtocol) => number,
  ): Recognised | undefined {
    const from: Side | undefined =
      localIsClient === undefined ? undefined : egress === localIsClient ? 'client' : 'server';
    for (let i = 0; i < this.#protocols.length; i++) {
      const verdict = this.#protocols[i]!.recognise(bytes, start, end, from);
      const fits = verdict !== 0 && (from === undefined || from === (verdict > 0 ? 'client' : 'server'));
      if (!fits) {
        if (this.#runs > 1 && this.#now[i] === 0) this.#before[i]! /= 2;
        this.#now[i] = 0;
        continue;
      }
      this.#now[i] = Math.min(Math.abs(verdict), 100) / 100;
      this.#votes[i]! += verdict > 0 === egress ? Math.abs(verdict) : -Math.abs(verdict);
    }
    return this.#leader(DECIDED, bonus);
  }

  #belief(index: number): number {
    return 1 - (1 - this.#before[index]!) * (1 - this.#now[index]!);
  }

  /** The protocol that is believed most, if at least `least` and clearly more than the next one. */
  #leader(least: number, bonus: (protocol: AnyProtocol) => number): Recognised | undefined {
    let first = -1;
    let firstScore = 0;
    let secondScore = 0;
    for (let i = 0; i < this.#protocols.length; i++) {
      const belief = this.#belief(i) * 100;
      if (belief <= UNDECIDED) continue;
      const score = belief + bonus(this.#protocols[i]!);
      if (score > firstScore) {
        secondScore = firstScore;
        firstScore = score;
        first = i;
      } else if (score > secondScore) secondScore = score;
    }
    if (first < 0 || firstScore < least || firstScore === secondScore) return undefined;
    return { protocol: this.#protocols[first]!, localIsClient: this.#votes[first]! > 0 };
  }
}

const NOTHING = Buffer.alloc(0);

/** The bonus of a protocol at a connection between ports `a` and `b`; `known` was learnt of one of its ends. */
export function hintBonus(protocol: AnyProtocol, a: number, b: number, known: string | undefined): number {
  const port = protocol.ports.includes(a) || protocol.ports.includes(b) ? PORT_BONUS : 0;
  return port + (known === protocol.name ? MEMORY_BONUS : 0);
}
