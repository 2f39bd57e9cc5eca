import { resolve } from 'node:path';
import type { Command } from './command.js';
import { parseRunOptions } from './options.js';
import { runPipelines } from './run.js';

/** Runs as usual; the kernel events are written to a file as well. */
export const recordCommand: Command = async (args, io) => {
  const options = parseRunOptions(args, 1);
  const file = resolve(options.positionals[0]!);
  const set = `receivers::ebpf::record_to=${JSON.stringify(file)}`;
  const sources = { ...options.sources, sets: [...(options.sources.sets ?? []), set] };
  return runPipelines({ ...options, sources }, io);
};
