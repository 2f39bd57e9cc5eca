/** bearertokenauth and basicauth on both sides of OTLP: what gets in, what the others are told. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Extension, Host, Settings } from '../../../src/component/component.js';
import { PermanentError } from '../../../src/component/errors.js';
import type { ExtensionFactory } from '../../../src/component/factory.js';
import { otlpGrpcExporter } from '../../../src/exporters/otlp_grpc/factory.js';
import { otlpHttpExporter } from '../../../src/exporters/otlp_http/factory.js';
import { basicAuthExtension } from '../../../src/extensions/basicauth/factory.js';
import { apr1, parseHtpasswd } from '../../../src/extensions/basicauth/htpasswd.js';
import type { BearerTokenAuth } from '../../../src/extensions/bearertokenauth/bearertokenauth.js';
import { bearerTokenAuthExtension } from '../../../src/extensions/bearertokenauth/factory.js';
import { decodeStatus } from '../../../src/otlp/responses.js';
import { testHost } from '../../helpers/host.js';
import { batchOf, rejection, SYNCHRONOUS, startExporter } from '../../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../../helpers/otlp/payload.js';
import { settingsFor, startReceiver } from '../../helpers/otlp/receiver-harness.js';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

async function own<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  running.push(started);
  return started;
}

async function hostWith(
  ...extensions: readonly [id: string, factory: ExtensionFactory, config: object][]
): Promise<{ host: Host; started: Extension[] }> {
  const host = testHost();
  const started: Extension[] = [];
  for (const [id, factory, config] of extensions) {
    const settings: Settings = settingsFor(id);
    const extension = factory.create(settings, factory.config().parse(config));
    await extension.start(host);
    running.push({ stop: () => extension.shutdown(AbortSignal.timeout(1000)) });
    started.push(extension);
  }
  return { host, started };
}

const auth = (authenticator: string) => ({ auth: { authenticator } });
const post = (port: number, headers: Record<string, string>, path = '/v1/traces') =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', ...headers },
    body: tracesRequest(2),
  });

describe('bearertokenauth', () => {
  it('answers 401 with the reason, and lets the token in', async () => {
    const { host } = await hostWith([
      'bearertokenauth',
      bearerTokenAuthExtension,
      { tokens: ['one', 'two'] },
    ]);
    const receiver = await own(startReceiver({ host, http: auth('bearertokenauth') }));

    const none = await post(receiver.httpPort, {});
    expect(none.status).toBe(401);
    expect(none.headers.get('content-type')).toBe('application/x-protobuf');
    expect(decodeStatus(new Uint8Array(await none.arrayBuffer()))).toMatchObject({
      code: 16,
      message: 'missing or empty authorization header: Authorization',
    });
    const wrong = await post(receiver.httpPort, {
      authorization: 'Bearer three',
      'content-type': 'application/json',
    });
    expect(wrong.status).toBe(401);
    const text = await wrong.text();
    expect(JSON.parse(text)).toEqual({
      code: 16,
      message: 'provided authorization does not match expected scheme or token',
    });
    expect(text).not.toContain('three');
    // A stranger learns nothing about paths.
    expect((await post(receiver.httpPort, {}, '/nowhere')).status).toBe(401);
    expect(receiver.sink.itemCount).toBe(0);

    expect((await post(receiver.httpPort, { authorization: 'Bearer two' })).status).toBe(200);
    expect(receiver.sink.itemCount).toBe(2);
  });

  it('tells a gRPC client UNAUTHENTICATED, and an exporter with a token gets through over HTTP', async () => {
    const { host } = await hostWith(
      ['bearertokenauth', bearerTokenAuthExtension, { token: 'secret' }],
      ['bearertokenauth/header', bearerTokenAuthExtension, { token: 'k', scheme: '', header: 'X-Key' }],
    );
    const receiver = await own(
      startReceiver({ host, grpc: auth('bearertokenauth'), http: auth('bearertokenauth/header') }),
    );
    const batch = batchOf('traces', tracesRequest(3));

    const stranger = await own(
      startExporter(otlpGrpcExporter, { endpoint: `http://127.0.0.1:${receiver.grpcPort}`, ...SYNCHRONOUS }),
    );
    const error = await rejection(stranger.exporter.consume(batch));
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ grpcStatus: 16 });
    expect((error as Error).message).toContain('missing or empty authorization header: Authorization');

    const known = await own(
      startExporter(
        otlpHttpExporter,
        {
          endpoint: `http://127.0.0.1:${receiver.httpPort}`,
          ...auth('bearertokenauth/header'),
          ...SYNCHRONOUS,
        },
        'traces',
        host,
      ),
    );
    await known.exporter.consume(batch);
    expect(receiver.sink.itemCount).toBe(3);
  });

  it('never sends a token over plain gRPC', async () => {
    const { host } = await hostWith(['bearertokenauth', bearerTokenAuthExtension, { token: 'secret' }]);
    const config = { endpoint: 'http://127.0.0.1:1', ...auth('bearertokenauth') };
    await expect(startExporter(otlpGrpcExporter, config, 'traces', host)).rejects.toThrow(
      'the credentials require transport level security',
    );
  });

  it('reads the tokens of a file again, and keeps them when the file is bad', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kindling-token-'));
    running.push({ stop: () => rm(directory, { recursive: true }) });
    const filename = join(directory, 'tokens');
    await writeFile(filename, 'old\nolder\n');
    const { started } = await hostWith(['bearertokenauth', bearerTokenAuthExtension, { filename }]);
    const extension = started[0] as BearerTokenAuth;
    expect(extension.headers()).toEqual({ authorization: 'Bearer old' });
    await writeFile(filename, 'new\n');
    await extension.reload();
    expect(extension.headers()).toEqual({ authorization: 'Bearer new' });
    expect(extension.problem({ authorization: 'Bearer older' })).toBeDefined();
    await writeFile(filename, '\n');
    await extension.reload();
    expect(extension.problem({ authorization: 'Bearer new' })).toBeUndefined();
  });
});

describe('basicauth', () => {
  // The second is what `htpasswd -nbs sha secret` prints.
  const inline = `plain:secret\nsha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\napr:$apr1$rOmEoCao$${apr1('secret', 'rOmEoCao')}\n`;
  const basic = (user: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  });

  it('knows the hashes of htpasswd', async () => {
    const { host } = await hostWith(['basicauth', basicAuthExtension, { htpasswd: { inline } }]);
    const receiver = await own(startReceiver({ host, http: auth('basicauth') }));
    for (const user of ['plain', 'sha', 'apr']) {
      expect((await post(receiver.httpPort, basic(user, 'secret'))).status).toBe(200);
      expect((await post(receiver.httpPort, basic(user, 'Secret'))).status).toBe(401);
    }
    const answers = [
      {},
      { authorization: 'Bearer x' },
      { authorization: 'Basic ?' },
      basic('nobody', 'secret'),
    ];
    const messages: string[] = [];
    for (const headers of answers) {
      const response = await post(receiver.httpPort, { ...headers, 'content-type': 'application/json' });
      expect(response.status).toBe(401);
      messages.push(((await response.json()) as { message: string }).message);
    }
    expect(messages).toEqual([
      'no basic auth provided',
      'invalid authorization scheme prefix',
      'invalid authorization format',
      'invalid credentials',
    ]);
  });

  it('computes MD5 crypt as Apache does', () => {
    // `openssl passwd -apr1 -salt rOmEoCao secret` and `-salt xxxxxxxx 'a longer password than one digest'`
    expect(apr1('secret', 'rOmEoCao')).toBe('.XNuzwt0KvYmVzK5oDsig.');
    expect(apr1('a longer password than one digest', 'xxxxxxxx')).toBe('bu7ruIGjnMk9fQ4KREGD00');
  });

  it('is for servers or for clients, and says so', async () => {
    const { host } = await hostWith(['basicauth', basicAuthExtension, { htpasswd: { inline } }]);
    const config = { endpoint: 'http://127.0.0.1:1', ...auth('basicauth') };
    await expect(startExporter(otlpHttpExporter, config, 'traces', host)).rejects.toThrow(
      'requested authenticator is not a HTTP client authenticator',
    );
    await expect(startReceiver({ host, http: auth('other') })).rejects.toThrow(
      'failed to resolve authenticator "other": authenticator not found',
    );
    const client = await hostWith(['basicauth', basicAuthExtension, { client_auth: { username: 'u' } }]);
    await expect(startReceiver({ host: client.host, grpc: auth('basicauth') })).rejects.toThrow(
      'requested authenticator is not a server authenticator',
    );
  });

  it.each([
    [{}, 'no credential source provided'],
    [{ htpasswd: {} }, 'no credential source provided'],
    [{ htpasswd: { inline }, client_auth: {} }, 'only one of `htpasswd` and `client_auth` can be specified'],
  ])('refuses %j', (config, message) => {
    expect(basicAuthExtension.config().safeParse(config).error?.issues[0]?.message).toBe(message);
  });

  it('names the line of a hash that it does not know', async () => {
    const bad = { htpasswd: { inline: 'a:b\nc:$6$salt$abcdefghijklmnopqrstuv' } };
    await expect(hostWith(['basicauth', basicAuthExtension, bad])).rejects.toThrow(
      'htpasswd: line 2 has a password hash of an unsupported kind ("$6$")',
    );
  });

  it.each([
    ['c:$2y$05$abc', 'htpasswd: line 1 has a bcrypt hash of a wrong length'],
    [`c:$2y$16$${'a'.repeat(53)}`, 'htpasswd: line 1 has a bcrypt hash with a cost above 12'],
  ])('refuses %s', (line, message) => {
    expect(() => parseHtpasswd(line)).toThrow(message);
  });

  it('checks bcrypt hashes of every prefix', () => {
    const hash = '05$qogLDuQnld1KuiW/auc2HuavjyGk5N4LeNtUrd6t0P/AmR9xIFkvO';
    for (const prefix of ['$2a$', '$2b$', '$2y$']) {
      const check = parseHtpasswd(`u:${prefix}${hash}`).get('u')!;
      expect([check('wrong'), check('secret'), check('secret'), check('')]).toEqual([
        false,
        true,
        true,
        false,
      ]);
    }
  });

  it('lets a known password in while others are guessed', () => {
    const check = parseHtpasswd('u:$2y$05$qogLDuQnld1KuiW/auc2HuavjyGk5N4LeNtUrd6t0P/AmR9xIFkvO').get('u')!;
    expect(check('secret')).toBe(true);
    for (let guess = 0; guess < 50; guess++) expect(check(`guess ${guess}`)).toBe(false);
    expect(check('secret')).toBe(true);
  });
});
