/** Exporters that write text. */
import { configCase, type ExportedSignal, type ParityCase } from '../case.js';

/** The same settings for every signal: the id says which. */
const exporterCase = (
  component: string,
  signal: ExportedSignal,
  config: object,
  input: string,
): ParityCase => {
  const one = configCase(component, signal, config, input);
  return { ...one, id: `${signal} ${one.id}` };
};

const INPUTS_OF: Readonly<Record<ExportedSignal, readonly string[]>> = {
  traces: ['traces', 'sampling', 'odd', 'nothing'],
  metrics: ['metrics', 'edges', 'nothing'],
  logs: ['logs', 'value', 'oddLogs', 'nothing'],
  profiles: ['profiles', 'nothing'],
};

const everyInput = (cases: (signal: ExportedSignal, input: string) => readonly ParityCase[]): ParityCase[] =>
  (Object.keys(INPUTS_OF) as ExportedSignal[]).flatMap((signal) =>
    INPUTS_OF[signal].flatMap((input) => cases(signal, input)),
  );

const BAD_DEBUG: readonly object[] = [
  { verbosity: 'none' },
  { verbosity: 'nosuch' },
  { verbosity: 7 },
  { loglevel: 'debug' },
  { sampling_initial: 'x' },
  { output_paths: ['stdout'] },
  { use_internal_logger: false, output_paths: [] },
];

export const debugCases = (): readonly ParityCase[] => [
  ...everyInput((signal, input) => [
    ...['basic', 'normal', 'detailed', 'Detailed'].map((verbosity) =>
      exporterCase('debug', signal, { verbosity }, `${input}`),
    ),
    exporterCase(
      'debug',
      signal,
      { verbosity: 'detailed', use_internal_logger: false, output_paths: ['DIRECTORY/out.txt'] },
      input,
    ),
  ]),
  ...BAD_DEBUG.map((config) => configCase('debug', 'traces', config)),
];
