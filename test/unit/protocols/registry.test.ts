import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { protocolsPage } from '../../../src/protocols/docs.js';
import { PROTOCOLS } from '../../../src/protocols/list.js';
import { loadProtocols, protocolProblem } from '../../../src/protocols/registry.js';
import { unaccounted, Wire } from '../../helpers/wire.js';

const directory = mkdtempSync(join(tmpdir(), 'kindling-protocols-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A protocol of a user: `ask <word>` and `say <word>`, a line each. */
const MODULE = `
class Parser {
  constructor(host) { this.host = host; this.open = []; }
  read(fromClient, bytes, start, end, at) {
    const message = { first: { ...at }, last: { ...at }, length: end - start, gap: false };
    const word = bytes.toString('latin1', start + 4, end - 1);
    if (fromClient) this.open.push(this.host.begin({ word }, message));
    else { const exchange = this.open.shift(); if (exchange) { exchange.detail.answer = word; this.host.finish(exchange, message); } }
  }
  skip() {}
}
export default {
  name: 'ask', title: 'Ask', convention: 'none', transports: ['tcp'], ports: [7777], pairing: 'in_order',
  serverFirst: false, carriers: [],
  capture: { request: { head: 64, tail: 0 }, response: { head: 64, tail: 0 } },
  docs: { parsed: 'All', spanName: 'ask', attributes: [], errors: 'none', limits: [] },
  recognise(bytes, start, end) {
    const word = bytes.toString('latin1', start, Math.min(end, start + 4));
    return word === 'ask ' ? 98 : word === 'say ' ? -98 : 0;
  },
  createParser: (host) => new Parser(host),
  describe({ detail }, span) { span.name = 'ask'; span.put('ask.answer', detail.answer); },
};
`;

describe('loadProtocols', () => {
  it("adds a user's protocol, which then is one of all", async () => {
    writeFileSync(join(directory, 'ask.mjs'), MODULE);
    const registry = await loadProtocols(['ask.mjs'], ['dns'], directory);
    expect(registry.get('ask')).toBeDefined();
    expect(registry.get('dns')).toBeUndefined();
    const wire = new Wire({ protocols: registry.all }).client('ask time\n').server('say noon\n').close();
    expect(wire.spans()).toMatchObject([
      { protocol: 'ask', name: 'ask', attributes: { 'ask.answer': 'noon' } },
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('says what is wrong with a module', async () => {
    writeFileSync(join(directory, 'none.mjs'), 'export const other = 1;');
    writeFileSync(join(directory, 'bad.mjs'), 'export default { name: "Bad Name" };');
    writeFileSync(join(directory, 'throws.mjs'), 'throw new Error("no");');
    const load = (file: string) => loadProtocols([file], [], directory);
    await expect(load('none.mjs')).rejects.toThrow('no object as default');
    await expect(load('bad.mjs')).rejects.toThrow('lower_snake_case');
    await expect(load('throws.mjs')).rejects.toThrow('cannot be loaded: no');
    await expect(load('absent.mjs')).rejects.toThrow('cannot be loaded');
    await expect(loadProtocols([], ['nosuch'])).rejects.toThrow('There is no protocol "nosuch"');
  });

  it('survives a parser that throws', () => {
    const [protocol] = PROTOCOLS;
    const wire = new Wire({
      protocols: [
        {
          ...protocol!,
          transports: ['tcp'],
          recognise: () => 98,
          createParser: () => ({
            read: () => {
              throw new Error('bug');
            },
            skip: () => {},
          }),
        },
      ],
    });
    wire.client('hello').server('hello').client('again').close();
    expect(wire.counters.of(protocol!.name).failed).toBe(1);
  });
});

describe('the list', () => {
  it('holds protocols, alphabetical, each of which says all there is to say', () => {
    const names = PROTOCOLS.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(new Set(names).size).toBe(names.length);
    for (const protocol of PROTOCOLS) {
      expect(protocolProblem(protocol), protocol.name).toBeUndefined();
      expect(protocol.docs.parsed.length, protocol.name).toBeGreaterThan(20);
      expect(protocol.docs.errors, protocol.name).not.toBe('');
    }
    const page = protocolsPage(PROTOCOLS, '1.44');
    for (const { title, name } of PROTOCOLS) expect(page).toContain(`[${title}](#${name})`);
  });
});
