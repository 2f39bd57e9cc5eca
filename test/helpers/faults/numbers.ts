/** Spans that carry a number as their span id, so that what was sent and what arrived can be compared one by one. */

import { walkSpans } from '../../../src/otlp/trace-view.js';
import { TracesWriter } from '../../../src/otlp/trace-writer.js';

const TRACE_ID = '5b8efff798038103d269b633813fc60c';

/** A request with the spans `first` to `first + count - 1`; numbers begin with 1. */
export function numberedRequest(first: number, count: number, paddingBytes = 0): Buffer {
  const writer = new TracesWriter();
  writer.resource({ 'service.name': 'numbered' });
  writer.scope('faults', '1');
  for (let number = first; number < first + count; number++) {
    writer.span({
      traceId: TRACE_ID,
      spanId: number.toString(16).padStart(16, '0'),
      name: 'numbered',
      kind: 2,
      startTime: { hi: 0x1600_0000, lo: number },
      endTime: { hi: 0x1600_0000, lo: number + 1 },
      attributes: paddingBytes > 0 ? { padding: 'x'.repeat(paddingBytes) } : {},
    });
  }
  return Buffer.from(writer.finish());
}

/** The numbers in a request. */
export function numbersIn(request: Uint8Array): number[] {
  const numbers: number[] = [];
  walkSpans(request, (span) => {
    numbers.push(Number.parseInt(span.spanId, 16));
  });
  return numbers;
}
