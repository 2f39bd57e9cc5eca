import { describe, expect, it } from 'vitest';
import { DescriptorOutput } from '../../../../src/exporters/terminal/output.js';

describe('DescriptorOutput', () => {
  it('has no size when its terminal has none', () => {
    const output = new DescriptorOutput(1, () => ({ columns: 0, rows: 0 }));
    expect([output.columns, output.rows]).toEqual([undefined, undefined]);
  });
});
