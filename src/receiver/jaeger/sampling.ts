/**
 * What Jaeger's clients with a remote sampler are told: one probability for all services.
 * Source: https://github.com/jaegertracing/jaeger-idl/blob/v0.9.0/proto/api_v2/sampling.proto, and the agent's
 * `/sampling?service=…` (https://www.jaegertracing.io/docs/1.76/apis/#remote-sampling-configuration-stable).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { field } from '../../otlp/wire-reader.js';
import { WireWriter } from '../../otlp/wire-writer.js';
import type { UnaryMethod } from '../../transport/grpc-server.js';
import { answer, answerText } from '../../transport/http-listener.js';

export const SAMPLING_METHOD = '/jaeger.api_v2.SamplingManager/GetSamplingStrategy';

const PROBABILISTIC = field.delimited(2);
const RATE = field.fixed64(1);

export class Sampling {
  readonly #rate: number;

  constructor(rate: number) {
    this.#rate = rate;
  }

  /** A strategy for `service`; no restrictions of baggage. */
  answerHttp(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (searchParams.getAll('service').length !== 1) {
      answerText(response, 400, "'service' parameter must be provided once");
      return;
    }
    const strategy = {
      strategyType: 'PROBABILISTIC',
      probabilisticSampling: { samplingRate: this.#rate },
    };
    const value = pathname === '/baggageRestrictions' ? [] : strategy;
    answer(response, 200, 'application/json', JSON.stringify(value));
  }

  get method(): UnaryMethod {
    return { handle: async () => this.#encoded(), refused: () => {} };
  }

  /** `strategyType` is 0, which is PROBABILISTIC, and has no bytes. */
  #encoded(): Uint8Array {
    const writer = new WireWriter(16);
    const mark = writer.open(PROBABILISTIC, 1);
    writer.doubleField(RATE, this.#rate);
    writer.close(mark);
    return writer.finish();
  }
}
