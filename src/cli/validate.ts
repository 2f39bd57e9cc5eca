import { type Command, EXIT_OK } from './command.js';
import { parseConfigOptions } from './options.js';
import { readConfig } from './read-config.js';

/** Silent when the configuration is good. */
export const validateCommand: Command = async (args, io) => {
  const { sources } = parseConfigOptions(args, {});
  await readConfig(sources, { env: io.env, note: () => {} }, { prefixed: false });
  return EXIT_OK;
};
