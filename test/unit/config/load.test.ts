// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration language
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/component/errors.js';
import { type ConfigSources, loadConfig } from '../../../src/config/load.js';
import { nodeAt, positionOf, toPlain } from '../../../src/config/node.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kindling-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

const notes: string[] = [];
const load = (sources: ConfigSources, env: Record<string, string> = {}) =>
  loadConfig(sources, { env, note: (level, message, { name }) => notes.push(`${level} ${message} ${name}`) });
const plain = async (yaml: string, env?: Record<string, string>) =>
  toPlain(await load({ uris: [`yaml:${yaml}`] }, env)) as Record<string, unknown>;

describe('merging', () => {
  it('merges maps, replaces lists and scalars, and wipes with null', async () => {
    const uris = [
      'yaml:a: {x: 1, y: [1, 2], z: {k: 1}, w: {}}',
      'yaml:a: {x: 2, y: [3], z: {l: 2}, w: null}',
    ];
    expect(toPlain(await load({ uris }))).toEqual({ a: { x: 2, y: [3], z: { k: 1, l: 2 }, w: null } });
  });

  it('keeps a section that the second file leaves empty', async () => {
    expect(toPlain(await load({ uris: ['yaml:a: {x: 1}', 'yaml:a: {}'] }))).toEqual({ a: { x: 1 } });
  });

  it('gives --set the last word, with dots or double colons, as YAML', async () => {
    const sources = { uris: ['yaml:a: {b: 1, c: old}'], sets: ['a.b=[1, two]', 'a::c=0x10', 'n.e.w=text'] };
    expect(toPlain(await load(sources))).toEqual({ a: { b: [1, 'two'], c: 16 }, n: { e: { w: 'text' } } });
  });

  it('reads the short keys of yaml:', async () => {
    expect(await plain('a::b: 1')).toEqual({ a: { b: 1 } });
  });
});

describe('sources', () => {
  it('reads paths, file: and env:', async () => {
    const path = join(folder, 'one.yaml');
    await writeFile(path, 'a: 1\n');
    expect(toPlain(await load({ uris: [path] }))).toEqual({ a: 1 });
    expect(toPlain(await load({ uris: [`file:${path}`] }))).toEqual({ a: 1 });
    expect(toPlain(await load({ uris: ['env:CFG'] }, { CFG: 'b: 2' }))).toEqual({ b: 2 });
  });

  it('remembers file, line and column', async () => {
    const path = join(folder, 'lines.yaml');
    await writeFile(path, 'a:\n  b:\n    - 1\n    - 2\n');
    const root = await load({ uris: [path] });
    expect(positionOf(root, ['a', 'b', 1])).toEqual({ source: path, line: 4, column: 7 });
    expect(positionOf(root, ['a', 'nothing'])).toEqual({ source: path, line: 1, column: 1 });
  });

  it.each([
    [[], [], 'at least one config flag must be provided'],
    [['foo:bar'], [], 'unsupported scheme on URI "foo:bar"'],
    [
      ['file:nosuch.yaml'],
      [],
      'failed to get config: cannot resolve the configuration: cannot retrieve the configuration: ' +
        'unable to read the file file:nosuch.yaml: open nosuch.yaml: no such file or directory',
    ],
    [['yaml:a: 1'], ['foo:bar'], 'invalid argument "foo:bar" for "--set" flag: missing equal sign'],
    [
      ['yaml:text'],
      [],
      'failed to get config: cannot resolve the configuration: retrieved value (type=string) cannot be used as a Conf',
    ],
  ])('says what is wrong with %j %j', async (uris, sets, message) => {
    await expect(load({ uris, sets })).rejects.toThrow(new ConfigError(message));
  });

  it('names both lines of a duplicate key, and the line of a tab', async () => {
    const prefix =
      'failed to get config: cannot resolve the configuration: retrieved value (type=string) cannot be used as a Conf: ' +
      'assuming string type since contents are not valid YAML: ';
    await expect(load({ uris: ['yaml:a: 1\nb: 2\na: 3'] })).rejects.toThrow(
      new ConfigError(
        `${prefix}yaml: unmarshal errors:\n  line 3: mapping key "a" already defined at line 1`,
      ),
    );
    await expect(load({ uris: ['yaml:a:\n\tb: 1'] })).rejects.toThrow(
      new ConfigError(`${prefix}yaml: line 2: found character that cannot start any token`),
    );
  });
});

describe('expansion', () => {
  it.each([
    ['${env:V}', '123', 123],
    ['${V}', '123', 123],
    ['${env:V}', '0123', 83],
    ['${env:V}', '1.5', 1.5],
    ['${env:V}', '1e3', 1000],
    ['${env:V}', '0xdeadbeef', 3735928559],
    ['${env:V}', '1_000', 1000],
    ['${env:V}', '0o17', 15],
    ['${env:V}', 'true', true],
    ['${env:V}', 'yes', 'yes'],
    ['${env:V}', '', null],
    ['${env:V}', '# c', null],
    ['${env:V}', '[1, 2]', [1, 2]],
    ['${env:V}', 'a: b', { a: 'b' }],
    ['${env:V}', '$$FOO', '$FOO'],
    ['${env:V}', '$FOO', '$FOO'],
    ['pre-${env:V}', '0123', 'pre-0123'],
    ['pre-${env:V}-${V}', '[1]', 'pre-[1]-[1]'],
    ['${env:MISSING:-a:b}', '', 'a:b'],
    ['${env:MISSING:-}', '', null],
    ['${env:V:-default}', '', null],
    ['localhost:${env:MISSING}', '', 'localhost:'],
    ['$${env:V}', '1', '${env:V}'],
    ['$V', '1', '$V'],
    ['${HOME', '1', '${HOME'],
    ['${env:${env:NAME}}', '5', 5],
    ['${yaml:[k, ${env:V}]}', '7', ['k', 7]],
  ])('%s with V=%j is %j', async (text, value, expected) => {
    const yaml = `x: ${JSON.stringify(text)}`;
    expect(await plain(yaml, { V: value, NAME: 'V' })).toEqual({ x: expected });
  });

  it('keeps the text beside the value', async () => {
    const root = await load({ uris: ['yaml:x: ${env:V}'] }, { V: '0123' });
    expect(nodeAt(root, ['x'])).toMatchObject({ value: 83, text: '0123' });
  });

  it('does not let a variable add structure to the text around it', async () => {
    const env = { OUTER: 'a: ${env:INNER}', INNER: 'x: 1\nb: 2' };
    expect(await plain('v: ${env:OUTER}', env)).toEqual({ v: { a: { x: 1, b: 2 } } });
  });

  it('notes unset and empty variables', async () => {
    notes.length = 0;
    await plain('a: ${env:UNSET}\nb: ${env:EMPTY}', { EMPTY: '' });
    expect(notes).toEqual([
      'warn Configuration references unset environment variable UNSET',
      'info Configuration references empty environment variable EMPTY',
    ]);
  });

  it.each([
    ['${1bad}', 'environment variable "1bad" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$'],
    ['${foo:bar}', 'scheme "foo" is not supported for uri "foo:bar"'],
    ['${NAME:-default}', 'scheme "NAME" is not supported for uri "NAME:-default"'],
    ['${file:/nosuch}', 'unable to read the file file:/nosuch: open /nosuch: no such file or directory'],
    ['${LOOP}', 'too many recursive expansions'],
  ])('%s: %s', async (text, message) => {
    await expect(plain(`x: ${JSON.stringify(text)}`, { LOOP: '${LOOP}' })).rejects.toThrow(
      new ConfigError(`failed to get config: cannot resolve the configuration: ${message}`),
    );
  });
});

describe('yaml', () => {
  it('resolves anchors and merge keys, and bounds what they multiply', async () => {
    expect(await plain('base: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}\nd: *b')).toEqual({
      base: { x: 1, y: 2 },
      c: { x: 1, y: 3 },
      d: { x: 1, y: 2 },
    });
    const bomb = ['a0: &a0 [x]'];
    for (let level = 1; level < 8; level++) {
      bomb.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    }
    await expect(plain(bomb.join('\n'))).rejects.toThrow('excessive aliasing');
  });

  it('keeps quoted scalars texts', async () => {
    expect(await plain(`a: "1"\nb: 'true'\nc: !!str 2\nd: |\n  null\n`)).toEqual({
      a: '1',
      b: 'true',
      c: '2',
      d: 'null\n',
    });
  });
});
