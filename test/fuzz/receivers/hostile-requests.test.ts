/**
 * Receivers of other formats on broken versions of good requests: flipped, cut, doubled, spliced. Each request has an answer,
 * nothing is lost beside it, and what leaves is valid OTLP. FUZZ_ROUNDS and FUZZ_SEED make it longer and different.
 */
import { describe, expect, it } from 'vitest';
import { validate } from '../../../src/otlp/validate.js';
import { seededRandom } from '../../helpers/random.js';
import { ask } from '../../helpers/receivers/ask.js';
import type { ReceiverCase } from '../../helpers/receivers/case.js';
import { RECEIVER_GROUPS } from '../../helpers/receivers/groups.js';
import { startReceiverOf } from '../../helpers/receivers/kindling.js';

const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 1500);
const SEED = Number(process.env['FUZZ_SEED'] ?? 7);

function hurt(random: () => number, bytes: Uint8Array): Buffer {
  const below = (limit: number) => Math.floor(random() * limit);
  let out = Buffer.from(bytes);
  for (let times = 1 + below(3); times > 0; times--) {
    const at = below(out.length + 1);
    switch (below(4)) {
      case 0:
        if (at < out.length) out[at] = below(256);
        break;
      case 1:
        out = Buffer.from(out.subarray(0, at));
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), Buffer.from([below(256), below(256)]), out.subarray(at)]);
        break;
      default:
        out = Buffer.concat([out.subarray(0, at), out.subarray(below(at + 1))]);
    }
  }
  return out;
}

const bytesOf = (body: string | Uint8Array): Uint8Array =>
  typeof body === 'string' ? Buffer.from(body) : body;

describe.each(Object.keys(RECEIVER_GROUPS))('hostile requests: %s', (group) => {
  it('are answered, and what is made of them is valid', { timeout: 600_000 }, async () => {
    const random = seededRandom(SEED);
    const cases = RECEIVER_GROUPS[group]!().filter(({ verdict }) => verdict === undefined);
    const receivers = new Map(
      await Promise.all(
        [...new Set(cases.map(({ receiver }) => receiver))].map(
          async (name) => [name, await startReceiverOf(name)] as const,
        ),
      ),
    );
    for (let round = 0; round < ROUNDS; round++) {
      const seed = cases[Math.floor(random() * cases.length)]!;
      const broken: ReceiverCase =
        seed.ask.kind === 'grpc'
          ? { ...seed, ask: { ...seed.ask, message: hurt(random, seed.ask.message) } }
          : { ...seed, ask: { ...seed.ask, body: hurt(random, bytesOf(seed.ask.body)) } };
      const { ports, sink } = receivers.get(seed.receiver)!;
      const { status } = await ask(broken, ports);
      if (broken.ask.kind === 'http')
        expect([202, 400, 404, 405], `round ${round}: ${seed.id}`).toContain(status);
      else if (broken.ask.kind === 'grpc')
        expect([0, 12, 13], `round ${round}: ${seed.id}`).toContain(status);
      for (const batch of sink.batches.splice(0)) {
        expect(validate('traces', batch.bytes), `round ${round}: ${seed.id}`).toBe(batch.itemCount);
      }
    }
    for (const { metrics, stop } of receivers.values()) {
      await stop();
      const { sums } = metrics;
      const dropped = [...sums].filter(([name]) => name.startsWith('dropped traces'));
      const lost = dropped.reduce((sum, [, count]) => sum + count, 0);
      expect(sums.get('received traces') ?? 0).toBe((sums.get('sent traces') ?? 0) + lost);
    }
  });
});
