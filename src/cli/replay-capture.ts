/** `kindling replay FILE` for a capture and without a configuration: prints the exchanges. */

import { type ExchangeJson, TABLE_HEAD, tableRow, toExchangeJson } from '../capture/exchange-json.js';
import { CaptureFileError } from '../capture/packet-file.js';
import { type Played, playCapture } from '../capture/play.js';
import { ConfigError } from '../component/errors.js';
import { DEFAULT_URL_TEMPLATES } from '../protocols/http/url-template.js';
import { DEFAULT_PROTOCOL_OPTIONS } from '../protocols/options.js';
import { loadProtocols } from '../protocols/registry.js';
import { type CliIo, EXIT_OK } from './command.js';

export interface PrintOptions {
  readonly json: boolean;
  readonly side: 'client' | 'server';
  /** Modules with protocols of users. */
  readonly modules: readonly string[];
}

const COLUMNS = [15, 10, 10, 21, 21, 36, 0] as const;

/** Throws `ConfigError` when the file cannot be read. */
export async function printCapture(file: string, options: PrintOptions, io: CliIo): Promise<number> {
  const registry = await loadProtocols(options.modules);
  let exchanges = 0;
  const print = (exchange: ExchangeJson) => {
    if (exchanges++ === 0 && !options.json) io.out(`${line(TABLE_HEAD)}\n`);
    io.out(options.json ? `${JSON.stringify(exchange)}\n` : `${line(tableRow(exchange))}\n`);
  };
  let played: Played;
  try {
    played = await playCapture(
      file,
      {
        registry,
        urlTemplates: DEFAULT_URL_TEMPLATES,
        protocols: DEFAULT_PROTOCOL_OPTIONS,
        side: options.side,
      },
      (exchange, facts, ends, epoch) => print(toExchangeJson(exchange, facts, ends, epoch)),
    );
  } catch (error) {
    if (error instanceof CaptureFileError || isSystemError(error)) {
      throw new ConfigError(`The capture ${file} cannot be read: ${error.message}`);
    }
    throw error;
  }
  io.err(`${summary(played, exchanges)}\n`);
  return EXIT_OK;
}

const line = (cells: readonly string[]): string =>
  cells
    .map((cell, i) => cell.padEnd(COLUMNS[i] ?? 0))
    .join('  ')
    .trimEnd();

/** What was read and what is missing, in sentences. */
export function summary({ run, counters, truncated }: Played, exchanges: number): string {
  const { stats } = run;
  const sentences = [
    `${exchanges} exchanges in ${stats.packets} packets of ${stats.connections} connections.`,
  ];
  if (counters.unrecognised > 0) sentences.push(`${counters.unrecognised} connections were not recognised.`);
  if (stats.bytesLost > 0) sentences.push(`${stats.bytesLost} bytes are missing in the capture.`);
  if (stats.fragmentsLost > 0) sentences.push(`${stats.fragmentsLost} fragmented packets are incomplete.`);
  if (stats.packetsUnknownLink > 0) {
    sentences.push(`${stats.packetsUnknownLink} packets are of a link type that is not known.`);
  }
  if (stats.connectionsEvicted > 0) {
    sentences.push(`${stats.connectionsEvicted} connections were dropped to make room.`);
  }
  if (truncated) sentences.push('The file ends in the middle of a packet.');
  for (const name of counters.names) {
    const count = counters.of(name);
    const lost = Object.entries(count.lost).filter(([, n]) => n > 0);
    if (lost.length > 0) {
      sentences.push(`${name}: lost ${lost.map(([reason, n]) => `${n} ${reason}`).join(', ')}.`);
    }
    if (count.failed > 0) sentences.push(`${name}: the parser failed on ${count.failed} connections.`);
  }
  return sentences.join(' ');
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && typeof error.code === 'string';
