/**
 * Every protocol of the list on broken versions of its own conversations: flipped, cut, doubled, spliced with others, in
 * any pieces, captured in part, with bytes lost, joined in the middle. Nothing may throw, and every exchange is accounted
 * for. FUZZ_ROUNDS and FUZZ_SEED make it longer and different; a failure names the round to repeat.
 */
import { describe, expect, it } from 'vitest';
import { PROTOCOLS } from '../../../src/protocols/list.js';
import { type AnyProtocol, CERTAIN } from '../../../src/protocols/protocol.js';
import { seededRandom } from '../../helpers/random.js';
import { unaccounted, Wire } from '../../helpers/wire.js';
import { loadSeeds, type Seed, stepBytes } from './seed.js';

const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 3000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 7);
const MAX_OPEN = 64;

/** Takes every connection, so that its parser sees what its recognition would refuse. */
const credulous = (protocol: AnyProtocol): AnyProtocol => ({ ...protocol, recognise: () => CERTAIN });

class Fuzzer {
  readonly #random: () => number;
  readonly #seeds: readonly Seed[];
  readonly #others: readonly Seed[];

  constructor(seed: number, seeds: readonly Seed[], others: readonly Seed[]) {
    this.#random = seededRandom(seed);
    this.#seeds = seeds;
    this.#others = others;
  }

  run(protocols: readonly AnyProtocol[]): Wire {
    const seed = this.#seeds[this.below(this.#seeds.length)]!;
    const wire = new Wire({
      protocols,
      transport: seed.transport ?? 'tcp',
      fresh: this.chance(0.7),
      options: { maxOpen: MAX_OPEN },
    });
    const hurt = this.#random();
    for (let pass = this.below(3); pass >= 0; pass--) {
      for (const step of seed.steps) {
        let bytes = stepBytes(step);
        if (this.#random() < hurt) bytes = this.mutate(bytes);
        this.#send(wire, this.chance(0.03) ? 'client' : step[0], bytes, seed.transport === 'udp');
        expect(wire.conversation.held).toBeLessThanOrEqual(MAX_OPEN + 1);
      }
    }
    if (this.chance(0.2)) wire.conversation.sweep(wire.time + 120e9, 60e9);
    if (this.chance(0.5)) wire.end(this.chance(0.5) ? 'client' : 'server');
    wire.close((['closed', 'reset', 'evicted', 'shutdown'] as const)[this.below(4)]);
    return wire;
  }

  #send(wire: Wire, from: 'client' | 'server', bytes: Buffer, whole: boolean): void {
    const longest = this.chance(0.3) ? 1 + this.below(4) : 1 + this.below(Math.max(1, 2 * bytes.length));
    for (let at = 0; at < bytes.length; ) {
      const size = whole ? bytes.length : Math.min(bytes.length - at, 1 + this.below(longest));
      if (this.chance(0.03)) wire.lose(from, size);
      else wire[from](bytes.subarray(at, at + size), this.chance(0.05) ? this.below(size + 1) : undefined);
      at += size;
    }
  }

  mutate(bytes: Buffer): Buffer {
    let result = Buffer.from(bytes);
    for (let i = 1 + this.below(4); i > 0; i--) {
      const at = this.below(result.length + 1);
      switch (this.below(7)) {
        case 0:
          if (at < result.length) result[at] = this.below(256);
          break;
        case 1:
          if (at < result.length) result[at]! ^= 1 << this.below(8);
          break;
        case 2:
          result = Buffer.from(result.subarray(0, at));
          break;
        case 3:
          result = Buffer.concat([result.subarray(0, at), result.subarray(this.below(at + 1))]);
          break;
        case 4: {
          const extreme = [0, 1, 0x7f, 0x80, 0xff][this.below(5)]!;
          result.fill(extreme, at, Math.min(result.length, at + 1 + this.below(8)));
          break;
        }
        case 5: {
          const noise = Buffer.from(Array.from({ length: this.below(40) }, () => this.below(256)));
          result = Buffer.concat([result.subarray(0, at), noise, result.subarray(at)]);
          break;
        }
        case 6: {
          const seed = this.#others[this.below(this.#others.length)]!;
          const other = stepBytes(seed.steps[this.below(seed.steps.length)]!);
          result = Buffer.concat([result.subarray(0, at), other.subarray(this.below(other.length + 1))]);
          break;
        }
      }
    }
    return result.length > 16_384 ? result.subarray(0, 16_384) : result;
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }
}

const all: Seed[] = [];
for (const { name } of PROTOCOLS) all.push(...(await loadSeeds(name)));

describe.each(PROTOCOLS.map((protocol) => [protocol.name, protocol] as const))('%s', (name, protocol) => {
  it('recognises and parses its own conversations', async () => {
    for (const seed of await loadSeeds(name)) {
      const wire = new Wire({ transport: seed.transport ?? 'tcp' });
      for (const step of seed.steps) wire[step[0]](stepBytes(step));
      wire.close();
      expect(wire.counters.of(name).connections, 'recognised').toBe(1);
      expect(wire.finished.length, 'exchanges').toBeGreaterThan(0);
      expect(wire.counters.of(name).malformed).toBe(0);
      expect(unaccounted(wire)).toBe(0);
    }
  });

  it('survives every other byte', async () => {
    const seeds = await loadSeeds(name);
    let exchanges = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const fuzzer = new Fuzzer(SEED * 1_000_003 + round, seeds, all);
      try {
        const wire = fuzzer.run(round % 2 === 0 ? [credulous(protocol)] : PROTOCOLS);
        if (wire.failures.length > 0) throw wire.failures[0];
        expect(unaccounted(wire)).toBe(0);
        for (const side of ['client', 'server'] as const) {
          for (const span of wire.spans(side)) expect(span.name.length).toBeLessThanOrEqual(255);
        }
        exchanges += wire.finished.length;
      } catch (error) {
        throw new Error(`FUZZ_SEED=${SEED}, round ${round}`, { cause: error });
      }
    }
    expect(exchanges).toBeGreaterThan(ROUNDS / 10);
  });
});
