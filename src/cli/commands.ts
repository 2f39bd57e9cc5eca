import type { Command } from './command.js';

export interface CommandEntry {
  readonly usage: string;
  readonly summary: string;
  /** Loaded when it is called: `doctor` must work where the rest can't be loaded. */
  readonly load: () => Promise<Command>;
  readonly aliasOf?: string;
  /** Has a longer help of its own. */
  readonly ownHelp?: boolean;
}

/** THE list of subcommands. Without one, `kindling --config FILE` runs. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  catch: {
    usage: 'catch --name NAME [--count N]',
    summary: 'Have the running agent tell the next spans of a name or trace in detail',
    ownHelp: true,
    load: async () => (await import('./catch.js')).catchCommand,
  },
  components: {
    usage: 'components',
    summary: 'List the components of this build',
    load: async () => (await import('./components-command.js')).componentsCommand,
  },
  doctor: {
    usage: 'doctor [--json]',
    summary: 'Say what this machine offers, what is missing and what that costs',
    load: async () => (await import('./doctor-command.js')).doctorCommand,
  },
  featuregate: {
    usage: 'featuregate [ID]',
    summary: 'List the feature gates, or say what one of them does',
    load: async () => (await import('./featuregate.js')).featuregateCommand,
  },
  'print-config': {
    usage: 'print-config --config FILE [--mode redacted|unredacted] [--format yaml|json] [--validate=false]',
    summary: 'Print the configuration as it takes effect, with all defaults',
    load: async () => (await import('./print-config.js')).printConfigCommand,
  },
  'print-initial-config': {
    usage: 'print-initial-config',
    summary: 'The same as print-config',
    load: async () => (await import('./print-config.js')).printConfigCommand,
    aliasOf: 'print-config',
  },
  queue: {
    usage: 'queue inspect DIR [--json]',
    summary: 'Say what the persistent queues in DIR hold',
    ownHelp: true,
    load: async () => (await import('./queue.js')).queueCommand,
  },
  record: {
    usage: 'record FILE --config FILE',
    summary: 'Run, and write the raw kernel events to FILE',
    load: async () => (await import('./record.js')).recordCommand,
  },
  replay: {
    usage: 'replay FILE [--config FILE] [--json] [--side client|server] [--protocols MODULE]',
    summary:
      'Send a recording or a capture (pcap) through the pipelines, or print the exchanges of a capture',
    load: async () => (await import('./replay.js')).replayCommand,
  },
  trace: {
    usage: 'trace TRACE_ID [--format FORMAT]',
    summary: 'Explain one trace of the store, or write it for a profile viewer',
    ownHelp: true,
    load: async () => (await import('./trace.js')).traceCommand,
  },
  traces: {
    usage: 'traces',
    summary: 'List the traces of the store, slowest first with --slow',
    ownHelp: true,
    load: async () => (await import('./traces.js')).tracesCommand,
  },
  validate: {
    usage: 'validate --config FILE',
    summary: 'Check the configuration without running it',
    load: async () => (await import('./validate.js')).validateCommand,
  },
};
