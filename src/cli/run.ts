import { randomUUID } from 'node:crypto';
import type { ConfigNode } from '../config/node.js';
import type { ProviderTools } from '../config/providers.js';
import type { CheckedConfig } from '../config/settings.js';
import { Agent } from '../pipeline/agent.js';
import type { Logger } from '../telemetry/logger.js';
import { OwnTelemetry } from '../telemetry/own-telemetry.js';
import { MetricsRegistry } from '../telemetry/registry.js';
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
  let logger: Logger | undefined;
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
  const registry = new MetricsRegistry();
  const own = registry.account({ kind: 'agent', id: 'kindling' }).own;
  const telemetry = new OwnTelemetry(running.telemetry, {
    registry,
    env: io.env,
    out: io.out,
    err: io.err,
    version: VERSION,
    instanceId: randomUUID(),
  });
  const log = telemetry.logger;
  logger = log;
  for (const note of notes) note();

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
      await telemetry.apply(next.telemetry);
      try {
        if ((await agent.reload(next)) === 'new') running = next;
      } finally {
        if (running !== next) await telemetry.apply(running.telemetry);
      }
    } catch (error) {
      log.error('Reload failed. Running on with the previous configuration.', {
        error: error instanceof Error ? error.message : String(error),
      });
      own.count('failed_reloads', 1);
      if (!agent.isRunning) stop.fail('Neither the new nor the previous configuration starts.');
    }
  };

  stop.listen(reload);
  try {
    await telemetry.apply(running.telemetry);
    await agent.start(running);
    if (options.runMs !== undefined) stop.after(options.runMs);
    const ending = await stop.requested;
    await agent.stop();
    await telemetry.shutdown();
    log.info(`Items by component:\n${agent.accounting()}`);
    return ending === 'failed' ? EXIT_FAILURE : EXIT_OK;
  } catch (error) {
    await telemetry.shutdown();
    throw error;
  } finally {
    stop.close();
  }
}
