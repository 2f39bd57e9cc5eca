import type { Command } from './command.js';
import { runDoctor } from './doctor.js';
import { parsePlainOptions } from './options.js';

/** `kindling doctor [--json]`; works without the addon, and then says that it is missing. */
export const doctorCommand: Command = async (args, io) => {
  const { values } = parsePlainOptions(args, { json: { type: 'boolean', default: false } }, { exactly: 0 });
  const native = await import('../receiver/ebpf/native.js');
  return runDoctor({ json: values.json, native, out: io.out });
};
