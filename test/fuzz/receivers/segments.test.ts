/** Broken segments: what is made of them is valid, or they are refused with the error for broken bytes. */
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../../src/otlp/decode.js';
import { MalformedError } from '../../../src/otlp/malformed-error.js';
import { validate } from '../../../src/otlp/validate.js';
import type { Segment } from '../../../src/receiver/skywalking/model.js';
import { SEGMENT } from '../../../src/receiver/skywalking/proto.js';
import { encodeSegments } from '../../../src/receiver/skywalking/segments-to-otlp.js';
import { seededRandom } from '../../helpers/random.js';
import { skywalkingProto } from '../../helpers/receivers/skywalking-proto.js';

const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 20_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 7);
const ID = '4f2f27748b8e44ecaf18fe0347194e86.33.16560607369950066';

describe('broken segments', () => {
  it('are refused, or become valid spans', () => {
    const random = seededRandom(SEED);
    const span = {
      spanId: 1,
      parentSpanId: 0,
      startTime: 1_700_000_000_000,
      endTime: 1_700_000_000_001,
      operationName: 'op',
      peer: 'a:1,b:2',
      refs: [{ parentTraceSegmentId: ID, parentSpanId: 1 }],
      tags: [{ key: 'url', value: 'x' }],
      logs: [{ time: 1, data: [{ key: 'event', value: 'error' }] }],
    };
    const good = skywalkingProto('SegmentObject', { traceId: ID, traceSegmentId: ID, spans: [span, span] });
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = Uint8Array.from(good);
      for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      }
      try {
        const encoded = encodeSegments([decodeMessage(SEGMENT, bytes) as Segment]);
        expect(validate('traces', encoded.bytes), `round ${round}`).toBe(encoded.itemCount);
      } catch (error) {
        expect(error, `round ${round}`).toBeInstanceOf(MalformedError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(ROUNDS);
  });
});
