/** A checked configuration as it takes effect. */
import { z } from 'zod';
import { SECTIONS } from './factories.js';
import { type ConfigNode, nodeAt, toPlain } from './node.js';
import { serviceFields } from './service.js';
import type { CheckedConfig } from './settings.js';

/** With every default, in the units that users write; secrets print as `[REDACTED]`. `root`: what it was read from. */
export function effectiveConfig(config: CheckedConfig, root?: ConfigNode): Record<string, unknown> {
  const sections: Record<string, unknown> = {};
  for (const section of SECTIONS) {
    if (config[section].size === 0) continue;
    sections[section] = Object.fromEntries(
      [...config[section].values()].map((entry) => [
        entry.id,
        encode(entry.factory.config(), entry.config, root && nodeAt(root, [section, entry.id])),
      ]),
    );
  }
  const pipelines = Object.fromEntries(
    config.pipelines.map(({ id, receivers, processors, exporters }) => [
      id,
      { receivers, processors, exporters },
    ]),
  );
  const { telemetry, limits = {} } = config;
  const service = { extensions: [...config.enabledExtensions], pipelines, telemetry, limits };
  return { ...sections, service: encode(serviceFields(), service, root && nodeAt(root, ['service'])) };
}

/** Values back to what a user would write ("200ms"); a schema that only knows one way is shown as written. */
function encode(schema: z.ZodType, value: unknown, written: ConfigNode | undefined): unknown {
  try {
    return z.encode(schema, value);
  } catch {
    return written === undefined ? value : (toPlain(written) ?? {});
  }
}
