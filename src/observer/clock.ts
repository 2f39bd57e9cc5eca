/**
 * From CLOCK_MONOTONIC, in which the kernel stamps its records, to the wall clock of telemetry and back.
 *
 *     unix = mono + offset(mono)      offset: measured each second, constant from one measurement to the next
 *
 * The wall clock may be set or slewed while the agent runs; a time is converted with the offset of its own moment. Two
 * ends of an interval are therefore never converted one by one: convert the start and add the duration.
 */
import { addNs, timeDifferenceNs } from '../otlp/time.js';
import type { MonoClock, UnixNs } from './join-types.js';
import type { MonoNs } from './types.js';

interface Segment {
  readonly from: MonoNs;
  readonly offset: UnixNs;
}

/** Segments kept: hours of a well-behaved clock, minutes of one that is being slewed hard. */
const MAX_SEGMENTS = 512;

export class ObserverClock implements MonoClock {
  readonly #segments: Segment[] = [];

  /**
   * The offset is `offset` from `now` on. Differences within the error of the measurement are not taken over.
   */
  measured(now: MonoNs, offset: UnixNs, errorNs: number): void {
    const last = this.#segments.at(-1);
    if (last !== undefined && Math.abs(timeDifferenceNs(offset, last.offset)) <= Math.max(errorNs, 100))
      return;
    this.#segments.push({ from: now, offset });
    if (this.#segments.length > MAX_SEGMENTS) this.#segments.shift();
  }

  toUnix(mono: MonoNs): UnixNs {
    return addNs(this.#at(mono).offset, Math.round(mono));
  }

  toMono(hi: number, lo: number): MonoNs {
    const segments = this.#segments;
    for (let i = segments.length - 1; i > 0; i--) {
      const mono = timeDifferenceNs({ hi, lo }, segments[i]!.offset);
      if (mono >= segments[i]!.from) return mono;
    }
    const first = segments[0];
    return first === undefined ? 0 : timeDifferenceNs({ hi, lo }, first.offset);
  }

  #at(mono: MonoNs): Segment {
    const segments = this.#segments;
    for (let i = segments.length - 1; i > 0; i--) {
      if (segments[i]!.from <= mono) return segments[i]!;
    }
    return segments[0] ?? { from: 0, offset: { hi: 0, lo: 0 } };
  }
}
