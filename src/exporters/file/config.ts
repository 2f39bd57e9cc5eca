/**
 * Settings of the `file` exporter: fields and defaults of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v0.159.0/exporter/fileexporter).
 */
import { z } from 'zod';
import { duration, reportedAt } from '../../config/fields.js';
import { collectorType } from '../../config/schema-walk.js';

export const fileConfig = () => collectorType('fileexporter.Config', fields(), { unmarshals: true });

const fields = () =>
  z.strictObject({
    path: z
      .string()
      .default('')
      .refine((path) => path !== '', { error: 'path must be non-empty', params: reportedAt() })
      .describe('File to write. One file may take all signals.'),
    append: z
      .boolean()
      .default(false)
      .describe('Keep what is in the file. Off: empty it at the start, unless `rotation` is set.'),
    format: z.enum(['json']).default('json').describe('One request in OTLP/JSON on each line.'),
    flush_interval: duration()
      .refine((ms) => ms >= 0, { error: 'flush_interval must be larger than zero' })
      .prefault('1s')
      .describe('Longest time between a batch and its line in the file. 0 writes each batch at once.'),
    rotation: z
      .strictObject({
        max_megabytes: z.int().min(1).default(100).describe('Size, in MiB, at which a new file is begun.'),
        max_backups: z
          .int()
          .min(0)
          .default(100)
          .describe('Full files to keep, the newest. 0 keeps all of them.'),
      })
      .optional()
      .describe('Begin a new file when one is full. Left out: one file that grows.'),
  });

export type FileConfig = z.output<ReturnType<typeof fileConfig>>;
