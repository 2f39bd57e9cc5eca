import { z } from 'zod';
import { duration, reportedAt } from '../../config/fields.js';
import { DETECTOR_NAMES } from './names.js';

/** Which attributes a detector gives; `defaults` says which of them without being asked. */
const attributes = (defaults: Readonly<Record<string, boolean>>) =>
  z
    .strictObject(
      Object.fromEntries(
        Object.entries(defaults).map(([name, enabled]) => [
          name,
          z.strictObject({ enabled: z.boolean().default(enabled) }).default({ enabled }),
        ]),
      ),
    )
    .prefault({});

/** Waits between attempts of a detector; fields of the Collector's configretry, with other defaults. */
const retry = () =>
  z
    .strictObject({
      enabled: z.boolean().default(true).describe('Try again when a detector fails.'),
      initial_interval: duration().prefault('1s').describe('Wait before the second attempt.'),
      randomization_factor: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe('Each wait is multiplied by a random factor within 1 +/- this.'),
      multiplier: z.number().min(0).default(2).describe('Each wait is this much longer than the one before.'),
      max_interval: duration().prefault('30s').describe('Longest wait.'),
      max_elapsed_time: duration()
        .prefault('0s')
        .describe('Time for all attempts; `timeout` is then for each of them. 0: `timeout` is for all.'),
    })
    .prefault({});

const HOSTNAME_SOURCES = ['dns', 'os', 'cname', 'lookup'];

/** Settings of `resource_detection`; names, defaults and sentences are the Collector's. */
export const resourceDetectionConfig = () =>
  z
    .strictObject({
      detectors: z
        .array(z.string())
        .default(['env'])
        .describe(
          'Where to look, in order; the first that knows an attribute wins: `env`, `system`, `docker`, `container`, `k8s_api` (alias `k8snode`).',
        ),
      override: z
        .boolean()
        .default(true)
        .describe('Whether what was detected replaces what a resource says already.'),
      timeout: duration().prefault('5s').describe('Longest time for each detector.'),
      retry: retry(),
      refresh_interval: duration().prefault('0s').describe('How often to detect anew. 0 means once.'),
      fail_on_missing_metadata: z
        .boolean()
        .default(false)
        .describe('Whether the agent does not start when a detector finds nothing where it should.'),
      system: z
        .strictObject({
          hostname_sources: z
            .array(z.string())
            .default([])
            .describe(
              'Where the name of the host comes from, in order: `dns`, `os`, `cname`, `lookup`. Empty: `dns`, `os`.',
            ),
          resource_attributes: attributes({
            'host.name': true,
            'os.type': true,
            'host.arch': false,
            'host.id': false,
            'host.ip': false,
            'host.mac': false,
            'os.description': false,
            'os.version': false,
          }),
        })
        .prefault({}),
      docker: z
        .strictObject({
          endpoint: z.string().default('unix:///var/run/docker.sock').describe('Socket of the daemon.'),
          resource_attributes: attributes({ 'host.name': true, 'os.type': true, 'host.arch': false }),
        })
        .prefault({}),
      container: z.strictObject({ resource_attributes: attributes({ 'container.id': true }) }).prefault({}),
      k8s_api: z
        .strictObject({
          node_from_env_var: z
            .string()
            .default('K8S_NODE_NAME')
            .describe("Environment variable with the node's name (set it from `spec.nodeName`)."),
          resource_attributes: attributes({ 'k8s.node.name': true }),
        })
        .prefault({}),
    })
    .superRefine((config, context) => {
      if (config.timeout < 0 || (config.timeout === 0 && !config.retry.enabled)) {
        context.addIssue({ code: 'custom', message: "'timeout' must be greater than zero" });
      } else if (config.timeout === 0 && config.retry.max_elapsed_time === 0) {
        context.addIssue({
          code: 'custom',
          message:
            'retry.enabled requires either timeout > 0 or retry.max_elapsed_time > 0 to bound detection',
        });
      }
      for (const source of config.system.hostname_sources) {
        if (HOSTNAME_SOURCES.includes(source)) continue;
        context.addIssue({
          code: 'custom',
          message: `detectorconfig::system: hostname_sources contains invalid value: ${JSON.stringify(source)}`,
          params: reportedAt(),
        });
      }
      for (const name of config.detectors) {
        if (DETECTOR_NAMES.includes(name)) continue;
        context.addIssue({ code: 'custom', message: `invalid detector key: ${name}` });
      }
    });

export type ResourceDetectionConfig = z.output<ReturnType<typeof resourceDetectionConfig>>;
