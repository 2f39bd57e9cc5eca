/** Settings of `host_metrics`; names as in the Collector's `hostmetrics` where both have them. */
import { z } from 'zod';
import { duration } from '../../config/fields.js';

const scraper = (what: string) => z.strictObject({}).nullish().describe(what);

export const hostMetricsConfig = () =>
  z
    .strictObject({
      collection_interval: duration()
        .prefault('1m')
        .refine((ms) => ms >= 100, { message: 'must be at least 100ms' })
        .describe('How often everything is read.'),
      initial_delay: duration().prefault('1s').describe('How long after the start it is read first.'),
      root_path: z
        .string()
        .default('')
        .describe('Where the root of the host is mounted, when the agent runs in a container.'),
      scrapers: z
        .strictObject({
          cpu: scraper('Time of each CPU by mode.'),
          load: scraper('Load averages.'),
          memory: scraper('Memory by state.'),
          paging: scraper('Swap and page faults.'),
          disk: scraper('Bytes, operations and time of disks.'),
          filesystem: scraper('Space of file systems.'),
          network: scraper('Bytes, packets, errors and drops of interfaces.'),
          connections: scraper('TCP connections by state. Reads every socket of the host.'),
          tcp: scraper('Retransmits, resets, overflows of accept queues, of the whole host.'),
          cgroup: scraper('CPU throttling of control groups.'),
          system: scraper('Uptime.'),
          process: z
            .strictObject({
              include: z
                .strictObject({
                  commands: z.array(z.string()).default([]).describe('Command names. Empty: all.'),
                })
                .prefault({})
                .describe('Processes to read.'),
              exclude: z
                .strictObject({
                  commands: z.array(z.string()).default([]).describe('Command names.'),
                })
                .prefault({})
                .describe('Processes to leave out.'),
              max_processes: z
                .int()
                .min(1)
                .default(1000)
                .describe('Most processes; those with the smallest numbers come first.'),
            })
            .nullish()
            .describe('CPU, memory, files and switches of processes, each a resource of its own.'),
        })
        .default({
          cpu: {},
          load: {},
          memory: {},
          paging: {},
          disk: {},
          filesystem: {},
          network: {},
          tcp: {},
          cgroup: {},
          system: {},
        })
        .describe('What is read: those that are named. Left out: all but `connections` and `process`.'),
    })
    .superRefine(({ scrapers }, context) => {
      if (Object.keys(scrapers).length === 0) {
        context.addIssue({
          code: 'custom',
          message: 'must specify at least one scraper when using hostmetrics receiver',
        });
      }
    });

export type HostMetricsConfig = z.output<ReturnType<typeof hostMetricsConfig>>;
