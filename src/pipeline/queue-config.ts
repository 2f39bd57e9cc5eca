/**
 * `sending_queue` of an exporter. Fields, defaults and sentences are those of the Collector
 * (https://github.com/open-telemetry/opentelemetry-collector/tree/v0.159.0/exporter/exporterhelper).
 */
import { z } from 'zod';
import { DECODING_ISSUE, duration } from '../config/fields.js';
import { collectorType } from '../config/schema-walk.js';

const SIZERS = ['requests', 'items', 'bytes'] as const;
export type Sizer = (typeof SIZERS)[number];

const isSizer = (text: string): text is Sizer => (SIZERS as readonly string[]).includes(text);

const sizer = () =>
  z.codec(z.string(), z.enum(SIZERS), {
    decode: (text, context) => {
      if (isSizer(text)) return text;
      context.issues.push({
        code: 'custom',
        message: `invalid sizer: ${JSON.stringify(text)}`,
        input: text,
        params: DECODING_ISSUE,
      });
      return z.NEVER;
    },
    encode: (value) => value,
  });

const partition = () =>
  z
    .strictObject({
      metadata_keys: z
        .array(z.string())
        .default([])
        .describe(
          'Request headers by whose values batches are kept apart; the receiver must keep them (`include_metadata`).',
        ),
    })
    .superRefine(({ metadata_keys: keys }, context) => {
      const seen = new Set<string>();
      for (const key of keys.map((one) => one.toLowerCase())) {
        if (seen.has(key)) {
          context.addIssue({
            code: 'custom',
            message: `duplicate entry in metadata_keys: ${JSON.stringify(key)} (case-insensitive)`,
          });
        }
        seen.add(key);
      }
    });

const batch = () =>
  z
    .strictObject({
      flush_timeout: duration()
        .prefault('200ms')
        .describe('Longest time that a batch waits to become larger.'),
      min_size: z.int().default(8192).describe('Size from which a batch is sent at once.'),
      max_size: z.int().default(0).describe('Larger batches are cut. 0 means no limit.'),
      sizer: sizer()
        .optional()
        .describe(
          'What the sizes count: `items` or `bytes`. Left out: as the queue, or `items` when that counts requests.',
        ),
      partition: partition().prefault({}).describe('Which batches are not put together.'),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (config.sizer === 'requests') {
        fail('`batch` supports only `items` or `bytes` sizer, found "requests"');
      }
      if (config.flush_timeout <= 0) fail('`flush_timeout` must be positive');
      if (config.min_size < 0) fail('`min_size` must be non-negative');
      if (config.max_size < 0) fail('`max_size` must be non-negative');
      if (config.max_size > 0 && config.max_size < config.min_size) {
        fail(
          `\`max_size\` (${config.max_size}) must be greater or equal to \`min_size\` (${config.min_size})`,
        );
      }
    });

/** `sending_queue` of an exporter. */
export const queueFields = () =>
  z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe('Accept batches before they are sent. Off: the caller waits for the other side.'),
      num_consumers: z.int().default(10).describe('Batches that are sent at the same time.'),
      queue_size: z.int().default(1000).describe('Most that the queue holds, in units of `sizer`.'),
      sizer: sizer()
        .prefault('requests')
        .describe('What `queue_size` counts: batches, spans (points, records), or encoded bytes.'),
      block_on_overflow: z
        .boolean()
        .default(false)
        .describe('A full queue makes the caller wait instead of refusing.'),
      wait_for_result: z
        .boolean()
        .default(false)
        .describe('The caller waits until its batch is sent or given up, and gets that result.'),
      storage: z
        .string()
        .optional()
        .describe(
          'Id of a storage extension (`file_storage`): the queue is on disk and survives restarts and crashes.',
        ),
      batch: collectorType('queuebatch.BatchConfig', batch(), { optional: true })
        .nullish()
        .describe('Put batches together before they are sent. Left out: they are not.'),
    })
    .superRefine((queue, context) => {
      if (!queue.enabled) return;
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (queue.queue_size <= 0) fail('`queue_size` must be positive');
      if (queue.num_consumers <= 0) fail('`num_consumers` must be positive');
      if (queue.storage !== undefined && queue.wait_for_result) {
        fail('`wait_for_result` is not supported with a persistent queue configured with `storage`');
      }
      // Otherwise a full queue would wait for ever for a batch that is large enough.
      if (queue.batch && batchSizer(queue) === queue.sizer && queue.batch.min_size > queue.queue_size) {
        fail('`min_size` must be less than or equal to `queue_size`');
      }
    });

export type QueueConfig = z.output<ReturnType<typeof queueFields>>;
export type QueueBatchConfig = NonNullable<QueueConfig['batch']>;

/** What `batch.min_size` and `max_size` count. */
export function batchSizer({ sizer, batch }: Pick<QueueConfig, 'sizer' | 'batch'>): 'items' | 'bytes' {
  const own = batch?.sizer ?? sizer;
  return own === 'requests' ? 'items' : own;
}
