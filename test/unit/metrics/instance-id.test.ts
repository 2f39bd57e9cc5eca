import { expect, it } from 'vitest';
import { instanceId } from '../../../src/metrics/instance-id.js';

it('tells agents and resources apart, and is the same each time', () => {
  const shop = { 'service.name': 'shop', 'container.id': 'a' };
  const ids = [
    instanceId('node-1', shop),
    instanceId('node-2', shop),
    instanceId('node-1', { ...shop, 'container.id': 'b' }),
  ];
  expect(new Set(ids).size).toBe(3);
  expect(instanceId('node-1', { 'container.id': 'a', 'service.name': 'shop' })).toBe(ids[0]);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
