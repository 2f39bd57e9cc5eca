import { stringify } from 'yaml';
import { COMPONENTS } from '../components.js';
import { checkConfig } from '../config/check.js';
import { effectiveConfig } from '../config/effective.js';
import { loadConfig } from '../config/load.js';
import { type ConfigNode, nodeAt, toPlain } from '../config/node.js';
import type { ProviderTools } from '../config/providers.js';
import { type Command, EXIT_OK, UsageError } from './command.js';
import { parseConfigOptions } from './options.js';
import { readConfig } from './read-config.js';

const REDACTED = '[REDACTED]';

/** Prints the configuration with every default, in the units that users write. */
export const printConfigCommand: Command = async (args, io) => {
  const { sources, values } = parseConfigOptions(
    args.map((arg) => (arg === '--validate=false' ? '--no-validation' : arg)),
    {
      mode: { type: 'string', default: 'redacted' },
      format: { type: 'string', default: 'yaml' },
      'no-validation': { type: 'boolean', default: false },
    },
  );
  const { mode, format } = values;
  if (mode !== 'redacted' && mode !== 'unredacted') {
    throw new UsageError(`invalid mode ${JSON.stringify(mode)}: modes are: redacted, unredacted`);
  }
  if (format !== 'yaml' && format !== 'json') {
    throw new UsageError(`unrecognized print format: ${String(format)}`);
  }
  const tools: ProviderTools = { env: io.env, note: () => {} };
  const { root, printed } =
    values['no-validation'] === true
      ? await readLeniently(sources, tools)
      : await readConfig(sources, tools, { prefixed: true }).then(({ root, config }) => ({
          root,
          printed: effectiveConfig(config, root),
        }));
  const shown = mode === 'unredacted' ? reveal(printed, root) : printed;
  io.out(format === 'json' ? `${JSON.stringify(shown, null, 2)}\n` : stringify(shown));
  return EXIT_OK;
};

/** A configuration with errors is shown as it was written. */
async function readLeniently(sources: Parameters<typeof loadConfig>[0], tools: ProviderTools) {
  const root = await loadConfig(sources, tools);
  const checked = checkConfig(root, COMPONENTS, sources.gates);
  return { root, printed: checked.ok ? effectiveConfig(checked.config, root) : toPlain(root) };
}

/** Puts the secrets of the input back where the output hides them. */
function reveal(shown: unknown, written: ConfigNode | undefined): unknown {
  if (shown === REDACTED) return written?.kind === 'scalar' ? (written.text ?? written.value) : shown;
  if (Array.isArray(shown))
    return shown.map((item, index) => reveal(item, written && nodeAt(written, [index])));
  if (typeof shown !== 'object' || shown === null) return shown;
  return Object.fromEntries(
    Object.entries(shown).map(([key, item]) => [key, reveal(item, written && nodeAt(written, [key]))]),
  );
}
