import type { TelemetryConfig } from '../config/service.js';

/**
 * The agent as a resource: `service.telemetry.resource` over name, version and `instanceId`; null in the file removes one.
 */
export function ownResource(
  { resource }: TelemetryConfig,
  version: string,
  instanceId: string,
): Record<string, string> {
  const attributes = {
    'service.name': 'kindling',
    'service.version': version,
    'service.instance.id': instanceId,
    ...resource,
  };
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value]) => (value === null ? [] : [[key, String(value)]])),
  );
}
