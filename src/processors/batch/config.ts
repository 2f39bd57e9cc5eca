import { z } from 'zod';
import { duration } from '../../config/fields.js';

/** Settings of `batch`; names, defaults and sentences are the Collector's. */
export const batchConfig = () =>
  z
    .strictObject({
      timeout: duration()
        .prefault('200ms')
        .describe('Longest time that an item waits for others. 0 sends each batch at once.'),
      send_batch_size: z
        .uint32()
        .default(8192)
        .describe(
          'Items (spans, data points, log records) that make a batch full. 0 leaves only the timeout.',
        ),
      send_batch_max_size: z
        .uint32()
        .default(0)
        .describe('Most items in a batch; bigger ones are split. 0 means no limit.'),
      metadata_keys: z
        .array(z.string())
        .default([])
        .describe(
          'Request headers by whose values batches are kept apart; the receiver must keep them (`include_metadata`).',
        ),
      metadata_cardinality_limit: z
        .uint32()
        .default(1000)
        .describe(
          'Most combinations of values of `metadata_keys`, over the life of the process. Data with one more is refused for good. 0 means no limit.',
        ),
      max_pending_size: z
        .int()
        .min(1)
        .default(65536)
        .describe(
          'Items accepted and not yet taken by what follows. At this many the senders wait, which bounds the memory.',
        ),
      wait_for_result: z
        .boolean()
        .default(false)
        .describe('Senders wait until what follows has taken their items, and learn of its refusal.'),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (config.send_batch_max_size > 0 && config.send_batch_max_size < config.send_batch_size) {
        fail('send_batch_max_size must be greater or equal to send_batch_size');
      }
      if (config.timeout < 0) fail('timeout must be greater or equal to 0');
      const seen = new Set<string>();
      for (const key of config.metadata_keys) {
        if (seen.has(key.toLowerCase())) {
          fail(`duplicate entry in metadata_keys: ${JSON.stringify(key.toLowerCase())} (case-insensitive)`);
        }
        seen.add(key.toLowerCase());
      }
    });

export type BatchConfig = z.output<ReturnType<typeof batchConfig>>;
