import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { ConfigNode } from '../config/node.js';
import type { ProviderTools } from '../config/providers.js';
import type { TelemetryConfig } from '../config/service.js';
import type { CheckedConfig } from '../config/settings.js';
import { Agent } from '../pipeline/agent.js';
import { ConsoleLogger } from '../telemetry/console-logger.js';
import { ownResource } from '../telemetry/own-resource.js';
import { startMetricsServers } from '../telemetry/prometheus/metrics-server.js';
import { MetricsRegistry } from '../telemetry/registry.js';
import { startSelfMetrics } from '../telemetry/self-metrics.js';
import { VERSION } from '../version.js';
import { type CliIo, type Command, EXIT_FAILURE, EXIT_OK } from './command.js';
import { parseRunOptions, type RunOptions } from './options.js';
import { readConfig } from './read-config.js';
import { StopSwitch } from './stop-switch.js';
import { tuneEngine } from './tune-engine.js';

/** `kindling --config FILE`: runs until a signal, a component, or `--run-seconds` ends it. */
export const runCommand: Command = async (args, io) => runPipelines(parseRunOptions(args, 0), io);

/** Runs the pipelines of a configuration; `edit` changes its tree first. Resolves to the exit code. */
export async function runPipelines(
  options: RunOptions,
  io: CliIo,
  edit: (root: ConfigNode) => ConfigNode = (root) => root,
): Promise<number> {
  tuneEngine();
  const notes: (() => void)[] = [];
  let logger: ConsoleLogger | undefined;
  const tools: ProviderTools = {
    env: io.env,
    // Before the configuration is read nobody knows how to log; what there is to say is said after.
    note: (level, message, fields) => {
      if (logger === undefined) notes.push(() => logger?.[level](message, fields));
      else logger[level](message, fields);
    },
  };
  const read = async () => (await readConfig(options.sources, tools, { prefixed: true, edit })).config;

  let running: CheckedConfig = await read();
  logger = createLogger(running.telemetry, io);
  for (const note of notes) note();
  const log = logger;

  const registry = new MetricsRegistry();
  const own = registry.account({ kind: 'agent', id: 'kindling' }).own;
  const stop = new StopSwitch(log, (error) => {
    own.count('unexpected_errors', 1);
    log.error('Unexpected error. Running on.', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  });
  const agent = new Agent({
    logger: log,
    registry,
    shutdownTimeoutMs: options.shutdownTimeoutMs,
    version: VERSION,
    onStopRequest: (reason) => stop.request(reason),
  });

  const reload = async (): Promise<void> => {
    try {
      const next = await read();
      if ((await agent.reload(next)) === 'new') running = next;
    } catch (error) {
      log.error('Reload failed. Running on with the previous configuration.', {
        error: error instanceof Error ? error.message : String(error),
      });
      own.count('failed_reloads', 1);
      if (!agent.isRunning) stop.fail('Neither the new nor the previous configuration starts.');
    }
  };

  stop.listen(reload);
  const target = ownResource(running.telemetry, VERSION, randomUUID());
  try {
    const metricsServers = await startMetricsServers(registry, running.telemetry, target, log);
    try {
      await agent.start(running);
    } catch (error) {
      await metricsServers.shutdown();
      throw error;
    }
    const selfMetrics = startSelfMetrics(registry, running.telemetry, target, io.env, log);
    if (options.runMs !== undefined) stop.after(options.runMs);
    const ending = await stop.requested;
    await agent.stop();
    await selfMetrics?.shutdown();
    await metricsServers.shutdown();
    log.info(`Items by component:\n${agent.accounting()}`);
    return ending === 'failed' ? EXIT_FAILURE : EXIT_OK;
  } finally {
    stop.close();
  }
}

function createLogger({ logs }: TelemetryConfig, io: CliIo): ConsoleLogger {
  const sinks = logs.output_paths.map((path): ((line: string) => void) => {
    if (path === 'stderr') return io.err;
    if (path === 'stdout') return io.out;
    const stream = createWriteStream(path, { flags: 'a' });
    stream.on('error', (error) => io.err(`Error: cannot write the log file ${path}: ${error.message}\n`));
    return (line) => stream.write(line);
  });
  const { sampling } = logs;
  return ConsoleLogger.create(
    {
      level: logs.level,
      encoding: logs.encoding,
      write: (line) => {
        for (const sink of sinks) sink(line);
      },
      repeats: sampling.enabled
        ? { tickMs: sampling.tick, initial: sampling.initial, thereafter: sampling.thereafter }
        : undefined,
    },
    logs.initial_fields,
  );
}
