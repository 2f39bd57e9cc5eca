import type { TelemetryConfig } from '../config/service.js';

/**
 * The agent as a resource: `service.telemetry.resource` over name, version and `instanceId`, as a map or
 * as the list `attributes`; null in the file removes one.
 */
export function ownResource(
  { resource }: TelemetryConfig,
  version: string,
  instanceId: string,
): Record<string, string> {
  const { attributes: listed = [], ...named } = resource;
  const attributes: Record<string, unknown> = {
    'service.name': 'kindling',
    'service.version': version,
    'service.instance.id': instanceId,
    ...named,
    ...Object.fromEntries(listed.map(({ name, value }) => [name, value])),
  };
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value]) =>
      value === null || typeof value === 'object' ? [] : [[key, String(value)]],
    ),
  );
}
