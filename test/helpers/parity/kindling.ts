/** Kindling's answers to parity cases. */
import { parse, stringify } from 'yaml';
import { countBatch } from '../../../src/otlp/count.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { mergeBatches } from '../../../src/otlp/reshape.js';
import { startPipeline } from '../pipeline.js';
import type { ParityAnswer, ParityCase } from './case.js';
import { INPUTS } from './inputs.js';

const CONNECTION = { remoteAddress: '127.0.0.1', remotePort: 1, localAddress: '127.0.0.1', localPort: 2 };

/** Runs a processor in a pipeline of its own. */
export async function answerProcessor(one: ParityCase): Promise<ParityAnswer> {
  const { component, signal } = one;
  let harness: Awaited<ReturnType<typeof startPipeline>>;
  try {
    harness = await startPipeline(
      stringify({
        receivers: { in: {} },
        processors: { [component]: parse(one.config) as unknown },
        exporters: { out: {} },
        service: {
          pipelines: { [signal]: { receivers: ['in'], processors: [component], exporters: ['out'] } },
        },
      }),
    );
  } catch (error) {
    const { message } = error as Error;
    const sentence = ownSentence(message, component);
    return /failed to create "/.test(message) ? { createError: sentence } : { configError: sentence };
  }
  const bytes = fromJson(signal, JSON.stringify(INPUTS[one.input]));
  const origin = { receiver: 'in', connection: CONNECTION };
  let consumeError: string | undefined;
  try {
    await harness.next(signal).consume({ signal, bytes, itemCount: countBatch(signal, bytes), origin });
  } catch (error) {
    consumeError = (error as Error).message;
  }
  await harness.agent.stop();
  const merged = mergeBatches([new Uint8Array(0), ...harness.out().map((batch) => batch.bytes)]);
  const output: unknown = JSON.parse(toJson(signal, merged));
  return consumeError === undefined ? { output } : { consumeError, output };
}

/** The component's own sentence, without what the configuration as a whole puts around it. */
const ownSentence = (message: string, component: string): string =>
  message
    .split('\n')
    .filter((line) => !/^ {2}/.test(line))
    .map((line) =>
      line
        .replace('invalid configuration: ', '')
        .replace('failed to build pipelines: ', '')
        .replace(/^failed to create "[^"]+" processor, in pipeline "[^"]+": /, '')
        .replace(/^failed to create "[^"]+" processor: /, '')
        .replace(`processors::${component}: `, '')
        .replace(`processors::${component}::`, '')
        // The Collector does not say which setting it is.
        .replace(/^(actions|attributes): /, ''),
    )
    .join('\n');
