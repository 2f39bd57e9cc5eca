<<<<<<< HEAD

import { type Command, UsageError } from './command.js';
import { runDoctor } from './doctor.js';

/** `kindling doctor [--json]`; works without the addon, and then says that it is missing. */
export const doctorCommand: Command = async (args, io) => {
  const unknown = args.find((arg) => arg !== '--json');
  if (unknown !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(unknown)}`);
  const native = await import('../receiver/ebpf/native.js');
  return runDoctor({ json: args.includes('--json'), native, out: io.out });
=======
import { probe } from '../receiver/ebpf/native.js';
import type { Command } from './command.js';
import { runDoctor } from './doctor.js';
import { parseFlags } from './options.js';

/** Works without the addon and without privileges: that is what it is for. */
export const doctorCommand: Command = (args, io) => {
  const { values } = parseFlags(args, { json: { type: 'boolean', default: false } });
  return runDoctor({ json: values.json, native: { probe }, out: io.out });
>>>>>>> wire
};
