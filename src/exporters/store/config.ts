/** Settings of the exporter `store`. */
import { z } from 'zod';
import { byteSize, duration } from '../../config/fields.js';

export const storeConfig = () =>
  z
    .strictObject({
      directory: z
        .string()
        .default('')
        .describe(
          'Where to write; `~` is the home directory. Empty: `/var/lib/kindling/store` when that can be written, ' +
            'else `.kindling/store` in the working directory. One agent for each directory.',
        ),
      max_bytes: byteSize()
        .prefault('256MiB')
        .describe('Most disk space for each signal. The oldest segment is deleted to make room.'),
      max_age: duration()
        .prefault('1h')
        .describe('How long data is kept at least while space allows; it is gone an eighth of this later.'),
      segment_bytes: byteSize()
        .prefault('16MiB')
        .describe('Size of one file, and so of what is deleted at once. At most half of `max_bytes`.'),
      max_pending_bytes: byteSize()
        .prefault('8MiB')
        .describe('Memory for data that is not on disk yet. What does not fit is dropped and counted.'),
      flush_interval: duration()
        .prefault('200ms')
        .describe('Longest time that data waits in memory. Shorter costs more system calls.'),
    })
    .check((context) => {
      const { max_bytes, segment_bytes, max_age, flush_interval, max_pending_bytes } = context.value;
      const problem = (path: string, message: string): void => {
        context.issues.push({ code: 'custom', path: [path], message, input: context.value });
      };
      if (segment_bytes < 64 * 1024) problem('segment_bytes', 'must be at least 64KiB');
      if (segment_bytes * 2 > max_bytes) problem('segment_bytes', 'must be at most half of max_bytes');
      if (max_pending_bytes < 64 * 1024) problem('max_pending_bytes', 'must be at least 64KiB');
      if (max_age <= 0) problem('max_age', 'must be positive');
      if (flush_interval < 1) problem('flush_interval', 'must be at least 1ms');
    });

export type StoreConfig = z.output<ReturnType<typeof storeConfig>>;
