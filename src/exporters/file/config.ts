/**
 * Settings of the `file` exporter: fields, defaults and sentences of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v0.159.0/exporter/fileexporter).
 */
import { z } from 'zod';
import { duration, reportedAt } from '../../config/fields.js';
import { collectorType } from '../../config/schema-walk.js';
import { canCompress } from './record.js';

export const fileConfig = () =>
  collectorType('fileexporter.Config', fields(), { unmarshals: true }).superRefine((config, context) => {
    const problem = problemOf(config);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, params: reportedAt() });
  });

const fields = () =>
  z.strictObject({
    path: z
      .string()
      .default('')
      .describe(
        'File to write. One file may take all signals. With `group_by`: its one `*` stands for the group.',
      ),
    append: z
      .boolean()
      .default(false)
      .describe('Keep what is in the file. Off: empty it at the start, unless `rotation` is set.'),
    format: z
      .string()
      .default('json')
      .describe(
        '`json`: one request in OTLP/JSON on each line. `proto`: the encoded request after its length, four bytes, big-endian.',
      ),
    compression: z
      .string()
      .default('')
      .describe(
        '`zstd`: each request is compressed by itself and follows its length as with `proto`. Needs Node.js 22.15.',
      ),
    flush_interval: duration()
      .prefault('1s')
      .describe('Longest time between a batch and its record in the file. 0 writes each batch at once.'),
    rotation: z
      .strictObject({
        max_megabytes: z.int().min(1).default(100).describe('Size, in MiB, at which a new file is begun.'),
        max_days: z.int().min(0).default(0).describe('Days for which full files are kept. 0: for ever.'),
        max_backups: z
          .int()
          .min(0)
          .default(100)
          .describe('Full files to keep, the newest. 0 keeps all of them.'),
        localtime: z
          .boolean()
          .default(false)
          .describe('Name full files after the local time. Off: after UTC.'),
      })
      .optional()
      .describe('Begin a new file when one is full. Left out: one file that grows.'),
    group_by: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Write to a file for each value of an attribute.'),
        resource_attribute: z
          .string()
          .default('fileexporter.path_segment')
          .describe(
            'Attribute of resources whose text replaces the `*` of `path`. Resources without it are dropped.',
          ),
        max_open_files: z
          .int()
          .min(1)
          .default(100)
          .describe('Files to keep open; the one that was not written to for longest is closed.'),
      })
      .prefault({}),
    create_directory: z.boolean().default(false).describe('Make the directory of `path` at the start.'),
    directory_permissions: z
      .string()
      .default('')
      .describe('Permissions of directories that are made, in octal. Left out: `0755`.'),
  });

export type FileConfig = z.output<ReturnType<typeof fileConfig>>;

/** The first thing that is wrong. */
function problemOf(config: z.output<ReturnType<typeof fields>>): string | undefined {
  const { path, group_by: group, directory_permissions: permissions } = config;
  if (path === '') return 'path must be non-empty';
  if (config.append && config.rotation !== undefined) {
    return 'append and rotation enabled at the same time is not supported';
  }
  if (config.format !== 'json' && config.format !== 'proto') return 'format type is not supported';
  if (config.compression !== '' && config.compression !== 'zstd') return 'compression is not supported';
  if (config.compression === 'zstd' && !canCompress()) return 'compression zstd needs Node.js 22.15 or later';
  if (config.flush_interval < 0) return 'flush_interval must be larger than zero';
  if (group.enabled) {
    const parts = path.split('*');
    if (parts.length !== 2) return 'path must contain exactly one * when group_by is enabled';
    if (parts[0] === '') return 'path must not start with * when group_by is enabled';
    if (group.resource_attribute === '') {
      return 'resource_attribute must not be empty when group_by is enabled';
    }
  }
  if (!config.create_directory) {
    return permissions === '' ? undefined : 'directory_permissions requires create_directory to be true';
  }
  if (!/^[0-7]*$/.test(permissions))
    return 'directory_permissions value must be a valid octal representation';
  return permissionsOf(permissions) > 0o777
    ? 'directory_permissions contain invalid bits for file access'
    : undefined;
}

/** Of `directory_permissions`. */
export const permissionsOf = (text: string): number => (text === '' ? 0o755 : Number.parseInt(text, 8));
