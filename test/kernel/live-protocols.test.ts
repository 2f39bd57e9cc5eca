/**
 * Servers and clients of the distribution, counted exactly: every request that a client made by its own account is one
 * span of the server, by its name, and nothing is lost.
 */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect } from 'vitest';
import { closeSessionsAfterEach, describeKernel, netVariants, waitUntil } from '../helpers/kernel.js';
import { LiveExchanges } from '../helpers/live-exchanges.js';
import { freeTcpPort, isListening, itWith, Workbench } from '../helpers/tools.js';

const run = promisify(execFile);
const bench = new Workbench();
const MEBIBYTE = 1 << 20;

/** Runs a command with `input` as its standard input; rejects when it fails. */
async function feed(command: string, args: readonly string[], input: string): Promise<void> {
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.end(input);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
}

/** A connection on which `ask` sends text and waits until what came back ends with `end`. */
class TextClient {
  readonly #socket: Socket;
  #received = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (data: Buffer) => {
      this.#received += data.toString('latin1');
    });
  }

  static async open(port: number): Promise<TextClient> {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new TextClient(socket);
  }

  async ask(text: string, end: string): Promise<void> {
    this.#received = '';
    this.#socket.write(text);
    await this.until(end);
  }

  async until(end: string): Promise<void> {
    await waitUntil(() => this.#received.endsWith(end));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    this.#socket.end();
    this.#socket.resume();
    await closed;
  }
}

/** How many spans of each name, and of each error. */
function tally(live: LiveExchanges, port: number, names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { serverPort, side, name, errorType, incomplete } of live.spans) {
    if (serverPort !== port || side !== 'server') continue;
    expect(incomplete).toBeUndefined();
    const key = errorType === undefined ? name : `${name}: ${errorType}`;
    if (names.includes(key)) counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** Nothing of `protocol` was lost, missed or misread. */
function expectWhole(live: LiveExchanges, protocol: string): void {
  const { lost, missed, malformed, left, failed } = live.protocols.of(protocol);
  expect({ missed, malformed, left, failed }).toEqual({ missed: 0, malformed: 0, left: 0, failed: 0 });
  expect(Object.values(lost).reduce((sum, count) => sum + count, 0)).toBe(0);
}

for (const variant of netVariants()) {
  const watch = (rules: { readonly pid?: number; readonly comm?: string }) =>
    new LiveExchanges(
      {
        net: { variant, unixSockets: false },
        ringBytes: 64 * MEBIBYTE,
        rules: {
          selectByDefault: false,
          ...(rules.pid === undefined ? {} : { includePids: [rules.pid] }),
          ...(rules.comm === undefined ? {} : { includeComms: [rules.comm] }),
        },
      },
      true,
    );

  describeKernel(`live protocols (${variant} variant)`, () => {
    closeSessionsAfterEach();
    afterEach(() => bench.end());

    itWith(['redis-server', 'redis-benchmark', 'redis-cli'], 'Redis', async () => {
      const port = await freeTcpPort();
      const redis = bench.start('redis-server', [
        '--port',
        String(port),
        '--save',
        '',
        '--bind',
        '127.0.0.1',
      ]);
      await waitUntil(() => isListening(port));
      using live = watch({ pid: redis.pid! });
      await run('redis-benchmark', ['-p', String(port), '-c', '4', '-n', '1000', '-t', 'set,incr', '-q']);
      await run('redis-benchmark', [
        '-p',
        String(port),
        '-c',
        '2',
        '-n',
        '600',
        '-P',
        '6',
        '-t',
        'lpush',
        '-q',
      ]);
      for (let i = 0; i < 5; i++)
        await run('redis-cli', ['-p', String(port), 'LPUSH', 'counter', 'x', 'y']).catch(() => {});
      await run('redis-cli', ['-p', String(port), 'SET', 'counter', 'x']);
      for (let i = 0; i < 5; i++) await run('redis-cli', ['-p', String(port), 'INCR', 'counter']);
      await live.settle();
      const names = ['SET', 'INCR', 'INCR counter:*', 'SET key:*', 'INCR: ERR', 'LPUSH'];
      const counts = tally(live, port, [...names, ...live.spans.map(({ name }) => name)]);
      expect(sumOf(counts, 'SET')).toBe(1001);
      expect(sumOf(counts, 'INCR')).toBe(1000);
      expect(counts['INCR: ERR']).toBe(5);
      expect(sumOf(counts, 'LPUSH')).toBe(605);
      expectWhole(live, 'redis');
    });

    itWith(['memcached'], 'Memcached', async () => {
      const port = await freeTcpPort();
      const memcached = bench.start('memcached', [
        ...['-u', 'nobody', '-l', '127.0.0.1'],
        ...['-p', String(port), '-U', '0', '-t', '2'],
      ]);
      await waitUntil(() => isListening(port));
      using live = watch({ pid: memcached.pid! });
      for (let connection = 0; connection < 4; connection++) {
        const client = await TextClient.open(port);
        for (let i = 0; i < 50; i++) {
          await client.ask(`set key:${i} 0 0 5\r\nhello\r\n`, 'STORED\r\n');
          await client.ask(`get key:${i} key:none\r\n`, 'END\r\n');
        }
        // Several in one go, and what the server refuses.
        await client.ask('delete key:1\r\nincr key:2 1\r\nmg key:3 v\r\n', 'hello\r\n');
        await client.close();
      }
      await live.settle();
      const names = ['set', 'get', 'delete', 'mg', 'incr: CLIENT_ERROR'];
      expect(tally(live, port, names)).toEqual({
        set: 200,
        get: 200,
        delete: 4,
        mg: 4,
        'incr: CLIENT_ERROR': 4,
      });
      expectWhole(live, 'memcached');
    });

    itWith(['postgres', 'initdb', 'pgbench', 'setpriv'], 'PostgreSQL', async () => {
      const folder = bench.folder();
      chmodSync(folder, 0o777);
      const port = await freeTcpPort();
      const asUser = ['--reuid=postgres', '--regid=postgres', '--clear-groups'];
      const data = join(folder, 'data');
      await run('setpriv', [...asUser, 'initdb', '-D', data, '-A', 'trust', '-U', 'postgres', '-N']);
      bench.start('setpriv', [
        ...asUser,
        ...['postgres', '-D', data, '-k', folder, '-p', String(port)],
        ...['-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off'],
      ]);
      await waitUntil(() => existsSync(join(folder, `.s.PGSQL.${port}`)) && isListening(port));
      const script = join(folder, 'script.sql');
      const pgbench = (protocol: string, transactions: number) =>
        run('pgbench', [
          ...['-n', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-f', script, '-M', protocol],
          ...['-c', '2', '-t', String(transactions), 'postgres'],
        ]);
      writeFileSync(script, 'SELECT relname FROM pg_class WHERE oid = 1;\n');
      // The server accepts connections a moment after it listens.
      let ready = false;
      while (!ready)
        ready = await pgbench('simple', 1).then(
          () => true,
          () => false,
        );
      using live = watch({ comm: 'postgres' });
      await pgbench('simple', 50);
      await pgbench('extended', 50);
      await pgbench('prepared', 50);
      writeFileSync(script, 'SELECT nothing FROM pg_class;\n');
      await pgbench('simple', 1).catch(() => {});
      await live.settle();
      const name = 'SELECT pg_class';
      const counts = tally(live, port, [name, `${name}: 42703`]);
      // Both connections fail at their first statement.
      expect(counts).toEqual({ [name]: 300, [`${name}: 42703`]: 2 });
    });

    itWith(['mariadbd', 'mariadb-install-db', 'mariadb'], 'MariaDB', async () => {
      const folder = bench.folder();
      const port = await freeTcpPort();
      const data = join(folder, 'data');
      await run('mariadb-install-db', [
        ...['--no-defaults', '--user=root', `--datadir=${data}`],
        ...['--auth-root-authentication-method=normal', '--skip-test-db'],
      ]);
      const server = bench.start('mariadbd', [
        ...['--no-defaults', '--user=root', `--datadir=${data}`, '--bind-address=127.0.0.1'],
        ...[
          `--port=${port}`,
          `--socket=${join(folder, 'sock')}`,
          '--skip-name-resolve',
          '--innodb-flush-log-at-trx-commit=0',
        ],
      ]);
      await waitUntil(() => isListening(port));
      using live = watch({ pid: server.pid! });
      const client = ['--no-defaults', '-h', '127.0.0.1', '-P', String(port), '-u', 'root', '--batch'];
      const insert = Array.from(
        { length: 100 },
        (_, i) => `INSERT INTO shop.orders VALUES (${i}, 'joe');\n`,
      ).join('');
      const select = Array.from(
        { length: 100 },
        (_, i) => `SELECT customer FROM shop.orders WHERE id = ${i};\n`,
      ).join('');
      await feed(
        'mariadb',
        client,
        `CREATE DATABASE shop;\nCREATE TABLE shop.orders (id int PRIMARY KEY, customer text);\n${insert}${select}`,
      );
      await feed(
        'mariadb',
        [...client, '--force'],
        'SELECT * FROM shop.missing;\nINSERT INTO shop.orders VALUES (1, "again");\n',
      ).catch(() => {});
      await live.settle();
      const names = [
        'INSERT shop.orders',
        'SELECT shop.orders',
        'SELECT shop.missing: 1146',
        'INSERT shop.orders: 1062',
      ];
      expect(tally(live, port, names)).toEqual({
        'INSERT shop.orders': 100,
        'SELECT shop.orders': 100,
        'SELECT shop.missing: 1146': 1,
        'INSERT shop.orders: 1062': 1,
      });
      expectWhole(live, 'mysql');
    });

    itWith(['nats-server'], 'NATS', async () => {
      const port = await freeTcpPort();
      const server = bench.start('nats-server', [
        '-a',
        '127.0.0.1',
        '-p',
        String(port),
        '--sd',
        bench.folder(),
      ]);
      await waitUntil(() => isListening(port));
      using live = watch({ pid: server.pid! });
      const login =
        'CONNECT {"verbose":false,"pedantic":false,"lang":"test","headers":true,"no_responders":true}\r\nPING\r\n';
      const subscriber = await TextClient.open(port);
      await subscriber.ask(`${login}SUB orders.* 1\r\nPING\r\n`, 'PONG\r\nPONG\r\n');
      const publisher = await TextClient.open(port);
      await publisher.ask(`${login}SUB _INBOX.a.* 1\r\nPING\r\n`, 'PONG\r\nPONG\r\n');
      // Only the first bytes that an end sends before the other one speaks are captured: the subscriber says something.
      for (let i = 0; i < 100; i++) {
        await publisher.ask('PUB orders.new 5\r\nhello\r\nPING\r\n', 'PONG\r\n');
        await subscriber.ask('PING\r\n', 'PONG\r\n');
      }
      for (let i = 0; i < 20; i++) await publisher.ask(`PUB nobody _INBOX.a.${i} 0\r\n\r\n`, '\r\n\r\n\r\n');
      await publisher.close();
      await subscriber.close();
      await live.settle();
      const names = ['publish orders.new', 'deliver orders.*', 'request nobody: 503', 'connect'];
      expect(tally(live, port, names)).toEqual({
        'publish orders.new': 100,
        'deliver orders.*': 100,
        'request nobody: 503': 20,
        connect: 2,
      });
      expectWhole(live, 'nats');
    });

    itWith(['mosquitto', 'mosquitto_pub', 'mosquitto_sub'], 'MQTT', async () => {
      const port = await freeTcpPort();
      const config = join(bench.folder(), 'mosquitto.conf');
      writeFileSync(
        config,
        `listener ${port} 127.0.0.1\nallow_anonymous true\nuser root\nmax_queued_messages 10000\n`,
      );
      const server = bench.start('mosquitto', ['-c', config]);
      await waitUntil(() => isListening(port));
      using live = watch({ pid: server.pid! });
      const at = ['-h', '127.0.0.1', '-p', String(port)];
      const lines = Array.from({ length: 50 }, (_, i) => `${i}\n`).join('');
      for (const [qos, version] of [
        ['0', '5'],
        ['1', '311'],
        ['2', '311'],
      ] as const) {
        const before = live.spans.length;
        const reader = run('mosquitto_sub', [
          ...at,
          '-V',
          version,
          '-q',
          qos,
          '-C',
          '50',
          '-t',
          `orders/q${qos}`,
        ]);
        await waitUntil(() =>
          live.spans.slice(before).some(({ name }) => name === `subscribe orders/q${qos}`),
        );
        await feed('mosquitto_pub', [...at, '-V', version, '-q', qos, '-t', `orders/q${qos}`, '-l'], lines);
        await reader;
      }
      await live.settle();
      const names = ['0', '1', '2'].flatMap((qos) => [
        `publish orders/q${qos}`,
        `deliver orders/q${qos}`,
        `subscribe orders/q${qos}`,
      ]);
      expect(tally(live, port, [...names, 'connect'])).toEqual({
        ...Object.fromEntries(names.map((name) => [name, name.startsWith('subscribe') ? 1 : 50])),
        connect: 6,
      });
      expectWhole(live, 'mqtt');
    });
  });
}

/** Counts of a command with any key, without errors. */
function sumOf(counts: Readonly<Record<string, number>>, command: string): number {
  return Object.entries(counts)
    .filter(([name]) => !name.includes(': ') && (name === command || name.startsWith(`${command} `)))
    .reduce((sum, [, count]) => sum + count, 0);
}
