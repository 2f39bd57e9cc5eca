/** Kindling's answers to parity cases. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { FeatureGates } from '../../../src/config/feature-gates.js';
import { countBatch } from '../../../src/otlp/count.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { mergeBatches } from '../../../src/otlp/reshape.js';
import { startPipeline } from '../pipeline.js';
import type { ParityAnswer, ParityCase } from './case.js';
import { INPUTS } from './inputs.js';

const CONNECTION = { remoteAddress: '127.0.0.1', remotePort: 1, localAddress: '127.0.0.1', localPort: 2 };

/** Runs a component in a pipeline of its own; cases with environment variables one after the other. */
export async function answerKindling(one: ParityCase): Promise<ParityAnswer> {
  const before = { ...process.env };
  Object.assign(process.env, one.env);
  try {
    return await (EXPORTERS.has(one.component) ? answerExporter(one) : answerProcessor(one));
  } finally {
    for (const name of Object.keys(one.env ?? {})) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

async function answerProcessor(one: ParityCase): Promise<ParityAnswer> {
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

const EXPORTERS: ReadonlySet<string> = new Set(['debug', 'file']);

/** Runs an exporter in a pipeline of its own; what it logs and what it writes to its directory is the answer. */
async function answerExporter(one: ParityCase): Promise<ParityAnswer> {
  const { component, signal } = one;
  const directory = await mkdtemp(join(tmpdir(), 'kindling-parity-'));
  const gates = new FeatureGates();
  gates.apply('service.profilesSupport');
  try {
    let harness: Awaited<ReturnType<typeof startPipeline>>;
    try {
      harness = await startPipeline(
        stringify({
          receivers: { in: {} },
          exporters: { [component]: parse(one.config.replaceAll('DIRECTORY', directory)) as unknown },
          service: { pipelines: { [signal]: { receivers: ['in'], exporters: [component] } } },
        }),
        { gates },
      );
    } catch (error) {
      return {
        configError: ownSentence((error as Error).message.replaceAll(directory, 'DIRECTORY'), component),
      };
    }
    const bytes = fromJson(signal, JSON.stringify(INPUTS[one.input]));
    const origin = { receiver: 'in', connection: CONNECTION };
    const itemCount = countBatch(signal, bytes);
    let consumeError: string | undefined;
    for (let count = 0; count < (one.repeat ?? 1); count++) {
      try {
        await harness.next(signal).consume({ signal, bytes, itemCount, origin });
      } catch (error) {
        consumeError = (error as Error).message;
      }
    }
    await harness.agent.stop();
    const logs = harness.logger.lines
      .filter(({ fields }) => fields['otelcol.component.id'] === component)
      .map(({ message, fields }) => {
        const own = Object.entries(fields).filter(([key]) => !key.startsWith('otelcol.'));
        return own.length === 0 ? message : `${message}\t${JSON.stringify(Object.fromEntries(own))}`;
      });
    return {
      ...(consumeError === undefined ? {} : { consumeError }),
      logs,
      files: await filesIn(directory),
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The files below a directory in base64, by their path from there. */
async function filesIn(directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[relative(directory, path)] = await readFile(path, 'base64');
  }
  return files;
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
        .replace(
          /^cannot start pipelines: failed to start "[^"]+" processor: (failed to detect resource: )?/,
          '',
        )
        .replace(/^failed to create "[^"]+" exporter for data type "\w+": /, '')
        .replace(/^failed to create "[^"]+" processor, in pipeline "[^"]+": /, '')
        .replace(/^failed to create "[^"]+" processor: /, '')
        .replace(`processors::${component}: `, '')
        .replace(`processors::${component}::`, '')
        .replace(`exporters::${component}: `, '')
        .replace(`exporters::${component}::`, '')
        // The Collector does not say which setting it is.
        .replace(/^(actions|attributes): /, ''),
    )
    .join('\n');
