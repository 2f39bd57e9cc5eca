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

const PATH = 'DIRECTORY/out.json';

const BAD_FILES: readonly object[] = [
  {},
  { path: '' },
  { path: 7 },
  { path: PATH, append: true, rotation: {} },
  { path: PATH, format: 'text' },
  { path: PATH, format: 'JSON' },
  { path: PATH, compression: 'gzip' },
  { path: PATH, flush_interval: '-1s' },
  { path: PATH, flush_interval: 'x' },
  { path: PATH, group_by: { enabled: true } },
  { path: 'DIRECTORY/*/*.json', group_by: { enabled: true } },
  { path: '*.json', group_by: { enabled: true } },
  { path: 'DIRECTORY/*.json', group_by: { enabled: true, resource_attribute: '' } },
  { path: PATH, directory_permissions: '0755' },
  { path: PATH, create_directory: true, directory_permissions: '0999' },
  { path: PATH, create_directory: true, directory_permissions: '07777777' },
  { path: PATH, nosuch: 1 },
  { path: PATH, rotation: { nosuch: 1 } },
];

export const fileCases = (): readonly ParityCase[] => [
  ...everyInput((signal, input) => [
    exporterCase('file', signal, { path: PATH }, input),
    exporterCase('file', signal, { path: PATH, format: 'proto' }, input),
    exporterCase('file', signal, { path: PATH, rotation: {} }, input),
    exporterCase('file', signal, { path: 'DIRECTORY/a/b/out.json', create_directory: true }, input),
    exporterCase(
      'file',
      signal,
      { path: 'DIRECTORY/*.json', group_by: { enabled: true, resource_attribute: 'service.name' } },
      input,
    ),
    exporterCase(
      'file',
      signal,
      { path: 'DIRECTORY/of/*/x.json', group_by: { enabled: true, resource_attribute: 'host.name' } },
      input,
    ),
  ]),
  { ...configCase('file', 'logs', { path: PATH, append: true }), repeat: 2 },
  { ...configCase('file', 'logs', { path: PATH, flush_interval: '1ms' }), repeat: 2 },
  ...BAD_FILES.map((config) => configCase('file', 'traces', config)),
];
