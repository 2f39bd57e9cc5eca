import { statSync } from 'node:fs';
import { z } from 'zod';
import { byteSize, duration } from '../../config/fields.js';

/** Offsets in a segment are written in 32 bits. */
const MAX_SEGMENT_BYTES = 2 ** 30;
const MIN_SEGMENT_BYTES = 4096;

const compaction = () =>
  z.strictObject({
    on_start: z.boolean().default(false),
    on_rebound: z.boolean().default(false),
    directory: z.string().default(''),
    rebound_needed_threshold_mib: z.int().default(100),
    rebound_trigger_threshold_mib: z.int().default(10),
    max_transaction_size: z.int().default(65_536),
    check_interval: duration().prefault('5s'),
    cleanup_on_start: z.boolean().default(false),
  });

/** Settings of `file_storage`; names and sentences are the Collector's, `segment_size` is ours. */
export const fileStorageConfig = () =>
  z
    .strictObject({
      directory: z
        .string()
        .default('/var/lib/otelcol/file_storage')
        .describe('Where the files are. Each queue has a directory of its own in it.'),
      timeout: duration()
        .prefault('1s')
        .describe('Accepted for compatibility; a directory that another process uses is refused at once.'),
      fsync: z
        .boolean()
        .default(true)
        .describe(
          'Wait for the disk before a batch counts as kept. Off, it survives a crash of the agent but not of the machine.',
        ),
      create_directory: z.boolean().default(false).describe('Make `directory` when it is missing.'),
      directory_permissions: z
        .string()
        .default('0750')
        .describe('Permissions of directories that are made, in octal.'),
      segment_size: byteSize()
        .prefault('16MiB')
        .describe(
          'A file is closed at this size, and deleted when everything in it was delivered. Larger: fewer files, later deleted.',
        ),
      recreate: z
        .boolean()
        .default(false)
        .describe(
          'Accepted for compatibility; damaged files are read past the damage and never thrown away.',
        ),
      compaction: compaction()
        .prefault({})
        .describe('Accepted for compatibility; files shrink by being deleted, one segment at a time.'),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      const mode = parseMode(config.directory_permissions);
      if (mode === undefined) {
        fail(
          `directory_permissions should be a valid octal: ${JSON.stringify(config.directory_permissions)}`,
        );
      }
      if (config.segment_size < MIN_SEGMENT_BYTES || config.segment_size > MAX_SEGMENT_BYTES) {
        fail('`segment_size` must be from 4KiB to 1GiB');
      }
      if (config.directory === '') fail('`directory` must not be empty');
      else if (!config.create_directory) {
        const problem = directoryProblem(config.directory);
        if (problem !== undefined) fail(problem);
      }
    });

export type FileStorageConfig = z.output<ReturnType<typeof fileStorageConfig>>;

/** Permission bits of an octal text, or undefined. */
export const parseMode = (text: string): number | undefined =>
  /^[0-7]{3,4}$/.test(text) ? Number.parseInt(text, 8) : undefined;

/** Why `directory` can't be used, in the Collector's words; undefined when it can. */
export function directoryProblem(directory: string): string | undefined {
  try {
    return statSync(directory).isDirectory() ? undefined : `${directory} is not a directory`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? `directory must exist: stat ${directory}: no such file or directory. ` +
          'You can enable the create_directory option to automatically create it'
      : `problem accessing configured directory: ${directory}, err: ${message}`;
  }
}
