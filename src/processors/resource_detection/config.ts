import { z } from 'zod';
import { duration } from '../../config/fields.js';
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
      refresh_interval: duration().prefault('0s').describe('How often to detect anew. 0 means once.'),
      fail_on_missing_metadata: z
        .boolean()
        .default(false)
        .describe('Whether the agent does not start when a detector finds nothing where it should.'),
      system: z
        .strictObject({
          hostname_sources: z
            .array(z.enum(['dns', 'os', 'cname', 'lookup']))
            .default(['dns', 'os'])
            .describe('Where the name of the host comes from, in order.'),
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
      if (config.timeout <= 0) {
        context.addIssue({ code: 'custom', message: "'timeout' must be greater than zero" });
      }
      for (const name of config.detectors) {
        if (DETECTOR_NAMES.includes(name)) continue;
        context.addIssue({ code: 'custom', message: `invalid detector key: ${name}` });
      }
    });

export type ResourceDetectionConfig = z.output<ReturnType<typeof resourceDetectionConfig>>;
