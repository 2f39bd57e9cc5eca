/** A real Prometheus that takes metrics over OTLP, or scrapes; built from its Go module into build/peers. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, run, temporaryDirectory } from '../agent.js';

const binaryOf = (name: string): string =>
  fileURLToPath(new URL(`../../../build/peers/${name}`, import.meta.url));

export const PROMTOOL = binaryOf('promtool');

/** Why there is no such program; undefined when there is one. */
export const toolMissing = (name: 'prometheus' | 'promtool'): string | undefined =>
  existsSync(binaryOf(name)) ? undefined : `build/peers/${name} is missing`;

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [seconds: number, value: string];
}

export interface MetricsBackend {
  /** Base of its API, without a slash at the end. */
  readonly url: string;
  /** The instant vector of a PromQL expression. Rejects with what Prometheus says when it is none. */
  query(expression: string): Promise<Sample[]>;
  /** Any other page of its API. */
  get(path: string): Promise<unknown>;
}

/** `targets`: what is scraped each second. `killLeftovers` and `removeTemporaryDirectories` of agent.ts end it. */
export async function startMetricsBackend(
  targets: readonly string[],
  ruleFile?: string,
): Promise<MetricsBackend> {
  const port = await freePort();
  const directory = temporaryDirectory();
  const file = join(directory, 'prometheus.yml');
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    ...(ruleFile === undefined ? {} : { rule_files: [ruleFile] }),
    scrape_configs: [{ job_name: 'kindling', honor_labels: true, static_configs: [{ targets }] }],
  };
  writeFileSync(file, JSON.stringify(config));
  const prometheus = run(binaryOf('prometheus'), [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-otlp-receiver',
    '--enable-feature=exemplar-storage',
  ]);
  await prometheus.waitFor('Server is ready to receive web requests');
  const url = `http://127.0.0.1:${port}`;
  const get = async (path: string): Promise<unknown> => {
    const answer = (await (await fetch(`${url}${path}`)).json()) as {
      status: string;
      error?: string;
      data: unknown;
    };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  return {
    url,
    get,
    query: async (expression) => {
      const data = (await get(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as {
        result: Sample[];
      };
      return data.result;
    },
  };
}
