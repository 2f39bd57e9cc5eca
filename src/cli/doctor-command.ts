import { type Command, UsageError } from './command.js';
import { runDoctor } from './doctor.js';

/** `kindling doctor [--json]`; works without the addon, and then says that it is missing. */
export const doctorCommand: Command = async (args, io) => {
  const unknown = args.find((arg) => arg !== '--json');
  if (unknown !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(unknown)}`);
  const native = await import('../receiver/ebpf/native.js');
  return runDoctor({ json: args.includes('--json'), native, out: io.out });
};
