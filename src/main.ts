import { type CliIo, type Command, EXIT_FAILURE, EXIT_INPUT, EXIT_OK, UsageError } from './cli/command.js';
import { COMMANDS } from './cli/commands.js';
import { helpText } from './cli/help.js';
import { ConfigError } from './component/errors.js';
import { VERSION } from './version.js';

/** After this long a handle that someone forgot to close no longer keeps the process alive. */
const EXIT_GRACE_MS = 2000;

/** Runs the command line and sets the exit code: 0 good, 2 bad arguments or configuration, 1 anything else. */
export async function main(args: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    // A reader that went away (`kindling ... | head`) is no reason to fail.
    stream.on('error', () => {});
  }
  const io: CliIo = {
    env: process.env,
    out: (text) => process.stdout.write(text),
    outBytes: (bytes) => process.stdout.write(bytes),
    err: (text) => process.stderr.write(text),
    terminal: process.stdout.isTTY ? { columns: process.stdout.columns } : undefined,
  };
  process.exitCode = await dispatch(args, io);
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
}

/** The exit code of a command line. Errors become one message on `io.err`, without stack. */
export async function dispatch(args: readonly string[], io: CliIo): Promise<number> {
  try {
    const [first, ...rest] = args;
    if (first === '--help' || first === '-h' || first === 'help') {
      io.out(helpText(COMMANDS));
      return EXIT_OK;
    }
    if (first === '--version' || first === '-v') {
      io.out(`kindling version ${VERSION}\n`);
      return EXIT_OK;
    }
    if (first === undefined || first.startsWith('-')) {
      // Loaded on demand, like the subcommands: `kindling trace` needs none of the components.
      const { runCommand } = await import('./cli/run.js');
      return await runCommand(args, io);
    }
    const entry = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
    if (entry === undefined) {
      throw new UsageError(
        `unknown command ${JSON.stringify(first)} for "kindling"\nRun 'kindling --help' for usage.`,
      );
    }
    if (entry.ownHelp !== true && (rest.includes('--help') || rest.includes('-h'))) {
      io.out(`${entry.summary}.\n\nUsage:\n  kindling ${entry.usage}\n`);
      return EXIT_OK;
    }
    const command: Command = await entry.load();
    return await command(rest, io);
  } catch (error) {
    io.err(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof ConfigError || error instanceof UsageError ? EXIT_INPUT : EXIT_FAILURE;
  }
}
