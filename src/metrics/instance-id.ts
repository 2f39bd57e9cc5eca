import { createHash } from 'node:crypto';
import type { AttributesInput } from '../otlp/attribute-writer.js';
import { seriesKey } from './series-key.js';

/** Name space of these ids (RFC 9562 section 6.5), drawn at random once. */
const NAME_SPACE = Buffer.from('6b1f7c0e2d5a4c8e9a41d3b7f0526e98', 'hex');

/**
 * `service.instance.id` of what this agent measures about the resource `attributes`: a UUID of version 5 over the agent
 * and all attributes.
 *
 * A Prometheus keeps nothing of a resource but its service and this id, so it must differ between agents, between
 * replicas on one machine, and from the id under which the service itself sends metrics of the same names; and it must
 * be the same after a restart of the agent, or each restart would leave its series behind.
 */
export function instanceId(agent: string, attributes: AttributesInput): string {
  const hash = createHash('sha1')
    .update(NAME_SPACE)
    .update(agent)
    .update('\u0000')
    .update(seriesKey(attributes))
    .digest();
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
