import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineExporter } from '../../../../src/component/factory.js';
import { configSchema } from '../../../../src/config/docs/json-schema.js';
import { toJsonText } from '../../../../src/config/docs/json-text.js';
import { componentReadme } from '../../../../src/config/docs/readme.js';
import { byteSize, duration } from '../../../../src/config/fields.js';

const factory = defineExporter({
  type: 'sample',
  aliases: ['old_sample'],
  stability: 'beta',
  description: 'Shows a table.',
  signals: ['traces'],
  config: () =>
    z.strictObject({
      endpoint: z.string().describe('Where | to send.'),
      timeout: duration().prefault('5s').describe('Longest time.'),
      mode: z.enum(['fast', 'slow']).default('fast').describe('How.'),
      queue: z.strictObject({ size: byteSize().prefault('1MiB').describe('Room.') }).prefault({}),
    }),
  create: () => ({ start: async () => {}, consume: async () => {}, shutdown: async () => {} }),
});

const TABLE = `<!-- config -->

| Option       | Type           | Default  | Meaning           |
| ------------ | -------------- | -------- | ----------------- |
| \`endpoint\`   | string         | required | Where \\| to send. |
| \`timeout\`    | duration       | \`5s\`     | Longest time.     |
| \`mode\`       | \`fast\`, \`slow\` | \`fast\`   | How.              |
| \`queue.size\` | size           | \`1MiB\`   | Room.             |

<!-- /config -->`;

describe('componentReadme', () => {
  it('begins a README', () => {
    expect(componentReadme(factory, undefined)).toBe(
      `# sample\n\nShows a table.\n\n## Options\n\n${TABLE}\n`,
    );
  });

  it('replaces only what is between the markers, and again gives the same', () => {
    const readme = 'Before.\n\n<!-- config -->\nold\n<!-- /config -->\n\nAfter.\n';
    const fresh = componentReadme(factory, readme);
    expect(fresh).toBe(`Before.\n\n${TABLE}\n\nAfter.\n`);
    expect(componentReadme(factory, fresh)).toBe(fresh);
  });

  it('adds the markers to a README without', () => {
    expect(componentReadme(factory, '# sample\n')).toBe(`# sample\n\n## Options\n\n${TABLE}\n`);
  });
});

describe('configSchema', () => {
  it('knows components by type, alias and name, and takes durations as users write them', () => {
    const schema = configSchema([factory]);
    const patterns = schema.properties?.exporters?.patternProperties as Record<
      string,
      Record<string, unknown>
    >;
    expect(Object.keys(patterns)).toEqual(['^sample(/.+)?$', '^old_sample(/.+)?$']);
    expect(patterns['^old_sample(/.+)?$']).toMatchObject({ deprecated: true });
    expect(patterns['^sample(/.+)?$']).toMatchObject({
      anyOf: [{ type: 'null' }, { properties: { timeout: { default: '5s', type: ['string', 'number'] } } }],
    });
  });
});

describe('toJsonText', () => {
  it('can be read back and keeps lines short', () => {
    const value = {
      a: { list: [1, 2], empty: [], none: {}, wide: Array(40).fill('words') },
      objects: [{ x: 1 }],
    };
    const text = toJsonText(value);
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toContain('"list": [1, 2],\n');
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  });
});
