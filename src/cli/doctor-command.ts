import { probe } from '../receiver/ebpf/native.js';
import type { Command } from './command.js';
import { runDoctor } from './doctor.js';
import { parseFlags } from './options.js';

/** Works without the addon and without privileges: that is what it is for. */
export const doctorCommand: Command = (args, io) => {
  const { values } = parseFlags(args, { json: { type: 'boolean', default: false } });
  return runDoctor({ json: values.json, native: { probe }, out: io.out });
};
