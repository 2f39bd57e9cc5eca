import type { CommandEntry } from './commands.js';

/** The text of `kindling --help`. */
export function helpText(commands: Readonly<Record<string, CommandEntry>>): string {
  const shown = Object.entries(commands).filter(([, entry]) => entry.aliasOf === undefined);
  const width = Math.max(...shown.map(([name]) => name.length));
  const lines = shown.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `eBPF node agent that explains slow spans.

Usage:
  kindling --config FILE [flags]     Run
  kindling COMMAND [flags]

Commands:
${lines.join('\n')}

Flags:
  --config URI             Configuration: a file, or file:, yaml:, env:, http(s):. Repeatable; later ones win.
  --set KEY=VALUE          One value, for example receivers.otlp.protocols.grpc.endpoint=localhost:0. Repeatable.
  --feature-gates LIST     Gates to open, with - before those to close, see kindling featuregate.
  --run-seconds N          Stop by itself after N seconds.
  --shutdown-timeout TIME  Time to send what is queued when stopping, for example 10s (the default).
  -h, --help               This text, or that of a command.
  -v, --version            Version.

Signals: SIGINT and SIGTERM stop in order, a second one at once; SIGHUP reloads the configuration.
Exit codes: 0 good, 2 bad arguments or configuration, 1 anything else.
`;
}
