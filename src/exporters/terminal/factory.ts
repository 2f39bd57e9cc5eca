import { defineExporter } from '../../component/factory.js';
import { type TerminalConfig, terminalConfig } from './config.js';
import { standardOutput } from './output.js';
import { TerminalExporter } from './terminal.js';

export const terminalExporter = defineExporter<TerminalConfig>({
  type: 'terminal',
  signals: ['traces'],
  stability: 'alpha',
  description: 'Prints a live summary of requests, and where their time went, to standard output.',
  config: terminalConfig,
  create: (settings, config) => new TerminalExporter(settings, config, standardOutput(), process.env),
});
