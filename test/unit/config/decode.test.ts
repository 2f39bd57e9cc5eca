import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decode } from '../../../src/config/decode.js';
import { duration, endpoint, headers, opaque, tlsClient, tlsServer } from '../../../src/config/fields.js';
import { loadConfig } from '../../../src/config/load.js';
import { formatPosition } from '../../../src/config/node.js';
import { collectorType } from '../../../src/config/schema-walk.js';

const schema = () =>
  z.strictObject({
    text: z.string().default('d'),
    count: z.int().default(1),
    flag: z.boolean().default(true),
    wait: duration().prefault('1s'),
    list: z.array(z.string()).default([]),
    protocols: z
      .strictObject({
        grpc: collectorType(
          'configgrpc.ServerConfig',
          z.strictObject({ endpoint: endpoint().default('localhost:1') }),
        ).optional(),
      })
      .optional(),
    tls: tlsClient().optional(),
    needed: z.string().optional(),
  });

async function read(yaml: string, env: Record<string, string> = {}) {
  const root = await loadConfig({ uris: [`yaml:${yaml}`] }, { env, note: () => {} });
  return decode(schema(), root, {
    path: 'receivers::test',
    type: 'testreceiver.Config',
    wrap: (message) => `wrapped: ${message}`,
  });
}

async function problems(yaml: string, env?: Record<string, string>) {
  const decoded = await read(yaml, env);
  if (decoded.ok) throw new Error(`no problem in ${JSON.stringify(decoded.value)}`);
  return decoded.problems;
}

/** The Collector's table: value of the variable, then what a field of each type makes of it. */
describe('an expanded variable', () => {
  const error = Symbol('error');
  it.each([
    ['123', { text: '123', count: 123, flag: error, wait: 123e-6, list: error }],
    ['0123', { text: '0123', count: 83, flag: error, wait: 83e-6, list: error }],
    ['1.5', { text: '1.5', count: 1, flag: error, list: error }],
    ['1e3', { text: '1e3', count: 1000, flag: error, wait: 1e-3 }],
    ['true', { text: 'true', count: error, flag: true, wait: error, list: error }],
    ['yes', { text: 'yes', count: error, flag: error, wait: error, list: ['yes'] }],
    ['"0123"', { text: '"0123"', count: error, flag: error, wait: error }],
    ['', { text: '', count: 0, flag: false, wait: 0, list: [] }],
    ['null', { text: 'null', count: 0, flag: false, wait: 0, list: [] }],
    ['# c', { text: '# c', count: 0, flag: false, wait: 0, list: [] }],
    ['5s', { text: '5s', count: error, flag: error, wait: 5000, list: ['5s'] }],
    ['a,b', { text: 'a,b', count: error, flag: error, wait: error, list: ['a', 'b'] }],
    ['- a', { text: '- a', count: error, list: ['a'] }],
    ['a: b', { text: 'a: b', count: error, flag: error, wait: error, list: error }],
  ] as const)('with value %j', async (value, expected) => {
    for (const [key, wanted] of Object.entries(expected)) {
      const decoded = await read(`${key}: $\{env:V}`, { V: value });
      const got = decoded.ok ? decoded.value[key as keyof typeof decoded.value] : error;
      if (typeof wanted === 'number') expect(got, key).toBeCloseTo(wanted, 9);
      else expect(got, key).toEqual(wanted);
    }
  });
});

describe('decode', () => {
  it('applies defaults, and takes an empty section as all defaults', async () => {
    const decoded = await read('protocols: {grpc: }\ntls:');
    expect(decoded).toMatchObject({
      ok: true,
      value: { wait: 1000, protocols: { grpc: { endpoint: 'localhost:1' } }, tls: { insecure: false } },
    });
  });

  it('takes a bare number for a duration as nanoseconds', async () => {
    expect(await read('wait: 10')).toMatchObject({ ok: true, value: { wait: 10e-6 } });
  });

  it.each([
    ['texxt: 1', "wrapped: 'testreceiver.Config' has invalid keys: texxt", 'text'],
    [
      'protocols: {grpc: {endpiont: x}}',
      "wrapped: 'protocols.grpc' decoding failed due to the following error(s):\n\n" +
        "'configgrpc.ServerConfig' has invalid keys: endpiont",
      'endpoint',
    ],
    ['protocols: {gprc: }', "wrapped: 'protocols' has invalid keys: gprc", 'grpc'],
    ['count: x', "wrapped: 'count' expected type 'int', got unconvertible type 'string'", undefined],
    ['text: 4317', "wrapped: 'text' expected type 'string', got unconvertible type 'int'", undefined],
    ['flag: 1', "wrapped: 'flag' expected type 'bool', got unconvertible type 'int'", undefined],
    ['wait: soon', "wrapped: 'wait' time: invalid duration", undefined],
    ['list: 3', "wrapped: 'list' source data must be an array or slice, got int", undefined],
    ['protocols: x', `wrapped: 'protocols' expected a map or struct, got "string"`, undefined],
    [
      'protocols: {grpc: {endpoint: "localhost"}}',
      'receivers::test::protocols::grpc::endpoint: address localhost: missing port in address',
      undefined,
    ],
    [
      'tls: {cert_file: x}',
      'receivers::test::clientconfig::tls: TLS configuration must include both certificate and key (CertFile/CertPem and KeyFile/KeyPem)',
      undefined,
    ],
  ])('%s', async (yaml, message, suggestion) => {
    const found = await problems(yaml);
    expect(found.map((problem) => [problem.message, problem.suggestion])).toEqual([[message, suggestion]]);
  });

  it('finds all problems and says where they are', async () => {
    const found = await problems('count: x\nflag: 3\nprotocols:\n  grpc:\n    endpiont: y\nnothing: 1');
    expect(
      found.map(({ position }) => formatPosition(position!).replace(/^.*:(\d+:\d+)$/, '$1')).sort(),
    ).toEqual(['1:1', '2:1', '5:5', '6:1']);
  });

  it('says that a setting is missing', () => {
    const required = z.strictObject({ endpoint: z.string() });
    const root = {
      kind: 'map',
      entries: new Map(),
      text: undefined,
      position: { source: 's', line: 1, column: 1 },
    } as const;
    const names = { path: 'exporters::otlp_grpc', type: 'x', wrap: (message: string) => message };
    expect(decode(required, root, names)).toMatchObject({
      ok: false,
      problems: [{ stage: 'validate', message: 'exporters::otlp_grpc: requires a non-empty "endpoint"' }],
    });
  });
});

describe('fields', () => {
  it('hides secrets wherever they are printed', () => {
    const parsed = z.strictObject({ password: opaque(), headers: headers() }).parse({
      password: 'hush',
      headers: [{ name: 'authorization', value: 'hush' }],
    });
    expect(`${parsed.password} ${JSON.stringify(parsed)} ${JSON.stringify(parsed.headers)}`).not.toContain(
      'hush',
    );
    expect(parsed.password.reveal()).toBe('hush');
    expect(parsed.headers.authorization?.reveal()).toBe('hush');
  });

  it('wants certificate and key together', () => {
    expect(tlsServer().safeParse({ cert_file: 'c' }).success).toBe(false);
    expect(tlsServer().safeParse({ cert_file: 'c', key_pem: 'k' }).success).toBe(true);
    expect(tlsServer().parse({}).min_version).toBe('1.2');
  });

  it.each(['localhost:4317', ':0', '[::1]:80', '0.0.0.0:'])('listens on %s', (text) => {
    expect(endpoint().safeParse(text).success).toBe(true);
  });

  it.each([
    ['localhost', 'address localhost: missing port in address'],
    ['a:b:1', 'address a:b:1: too many colons in address'],
    ['a:bar', 'invalid port "bar"'],
    ['a:65536', 'invalid port "65536"'],
  ])('does not listen on %s', (text, message) => {
    expect(endpoint().safeParse(text).error?.issues[0]?.message).toBe(message);
  });
});
