import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import * as my from '../../../helpers/mysql-packets.js';
import { unaccounted, Wire, type WireOptions } from '../../../helpers/wire.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const DEPRECATE_EOF = 0x100_0000;

const connected = (capabilities = 0, version = '8.4.0', options: WireOptions = {}): Wire =>
  new Wire(options).server(my.greeting(version)).client(my.login(capabilities, 'shop')).server(my.ok(2));

const brief = (wire: Wire) =>
  wire.spans().map(({ name, attributes }) => [name, attributes['db.response.status_code']]);

describe('mysql', () => {
  it.each([
    ['8.4.0', 'mysql'],
    ['5.5.5-10.11.6-MariaDB', 'mariadb'],
  ])('says what a query was (%s)', (version, system) => {
    const wire = connected(0, version)
      .client(my.query('SELECT * FROM orders WHERE name = "joe" AND id = 7'))
      .server(my.resultSet(false));
    expect(wire.spans()).toMatchObject([
      {
        protocol: 'mysql',
        name: 'SELECT orders',
        errorType: undefined,
        attributes: {
          'db.system.name': system,
          'db.namespace': 'shop',
          'db.operation.name': 'SELECT',
          'db.collection.name': 'orders',
          'db.query.text': 'SELECT * FROM orders WHERE name = ? AND id = ?',
        },
      },
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it.each([
    [1, 0],
    [3, DEPRECATE_EOF],
    [1000, DEPRECATE_EOF],
  ])('reads pieces of %i bytes, capabilities %i', (size, capabilities) => {
    const modern = capabilities !== 0;
    const wire = new Wire();
    const send = (from: 'client' | 'server', text: string) => {
      for (let at = 0; at < text.length; at += size) wire[from](text.slice(at, at + size));
    };
    send('server', my.greeting());
    send('client', my.login(capabilities, 'shop'));
    send('server', my.ok(2));
    send('client', my.prepare('SELECT a FROM t WHERE b = ? LIMIT 5'));
    send('server', my.prepared(9, 1, 1, modern));
    send('client', my.executeStatement(9));
    send('server', my.resultSet(modern));
    send('client', my.query('CALL p()'));
    send('server', my.resultSet(modern, 8) + my.resultSet(modern, 8, 6) + my.ok(11));
    send('client', my.query("INSERT INTO t VALUES ('x@y')"));
    send('server', my.failure(1062, "Duplicate entry 'x@y' for key 'PRIMARY'"));
    send('client', my.command(0x19, '\x09\0\0\0') + my.command(0x0e));
    send('server', my.ok());
    expect(brief(wire)).toEqual([
      ['PREPARE SELECT t', undefined],
      ['SELECT t', undefined],
      ['CALL p', undefined],
      ['INSERT t', '1062'],
      ['PING shop', undefined],
    ]);
    const [, executed, , failed] = wire.spans();
    expect(executed!.attributes['db.query.text']).toBe('SELECT a FROM t WHERE b = ? LIMIT 5');
    expect(failed!.statusMessage).toBe("Duplicate entry '?' for key 'PRIMARY'");
    expect(wire.counters.of('mysql').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('reports refused connections', () => {
    const denied = new Wire()
      .server(my.greeting())
      .client(my.login(0, 'shop'))
      .server(my.failure(1045, "Access denied for user 'app'@'localhost'", 2));
    expect(brief(denied)).toEqual([['CONNECT shop', '1045']]);
    const full = new Wire({ serverPort: 3306 }).server(my.failure(1040, 'Too many connections', 0)).close();
    expect(brief(full)).toEqual([['CONNECT', '1040']]);
  });

  it('follows the database', () => {
    const wire = connected()
      .client(my.command(2, 'other'))
      .server(my.ok())
      .client(my.command(2, 'none'))
      .server(my.failure(1049, "Unknown database 'none'"))
      .client(my.query('USE `nope`'))
      .server(my.failure(1049, "Unknown database 'nope'"))
      .client(my.query('SELECT 1'))
      .server(my.resultSet(false));
    expect(wire.spans().map(({ attributes }) => attributes['db.namespace'])).toEqual([
      'other',
      'none',
      'other',
      'other',
    ]);
  });

  it('finds the trace context in a comment or in query attributes', () => {
    const attribute = `\x01\x01\0\x01\xfd\0\x0btraceparent\x37${TRACEPARENT}`;
    const wire = connected(0x800_0000)
      .client(my.query(`\0\x01SELECT 1 /*traceparent='${TRACEPARENT}'*/`))
      .server(my.resultSet(false))
      .client(my.query(`${attribute}SELECT 2 FROM t`))
      .server(my.resultSet(false));
    expect(wire.finished.map(({ context }) => context?.traceId)).toEqual([
      TRACEPARENT.slice(3, 35),
      TRACEPARENT.slice(3, 35),
    ]);
    expect(wire.finished.map(({ context }) => context?.carrier)).toEqual(['sqlcommenter', 'traceparent']);
    expect(wire.spans()[1]!.attributes['db.query.text']).toBe('SELECT ? FROM t');
  });

  it('reads statements of more than 16 MiB and data of LOAD DATA LOCAL', () => {
    const large = `INSERT INTO t VALUES ('${'x'.repeat(0xff_ffff - 1 - 23)}`;
    expect(large.length).toBe(0xff_ffff - 1);
    const wire = connected()
      .client(my.query(large), 1024)
      .client(my.packet(1, "y')"))
      .server(my.ok(2))
      .client(my.query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t"))
      .server(my.packet(1, '\xfbf'))
      .client(my.packet(2, '1\n2\n') + my.packet(3, ''))
      .server(my.ok(4));
    expect(brief(wire)).toEqual([
      ['INSERT t', undefined],
      ['LOAD', undefined],
    ]);
    expect(wire.finished[0]!.requestBytes).toBe(0xff_ffff + 4 + 7);
    expect(wire.counters.of('mysql').malformed).toBe(0);
  });

  it('unpacks compressed connections', () => {
    const small = (sequence: number, content: string) =>
      `${my.packet(sequence, content).slice(0, 4)}\0\0\0${content}`;
    const packed = (sequence: number, content: string) => {
      const bytes = deflateSync(Buffer.from(content, 'latin1')).toString('latin1');
      const size = my.packet(0, content).slice(0, 3);
      return my.packet(sequence, bytes).slice(0, 4) + size + bytes;
    };
    const wire = connected(0x20)
      .client(small(0, my.query('SELECT 1')))
      .server(packed(1, my.resultSet(false)))
      .client(packed(0, my.query(`SELECT * FROM orders WHERE id IN (${'1,'.repeat(100)}2)`)))
      .server(packed(1, my.failure(1146, "Table 'shop.orders' doesn't exist")));
    expect(brief(wire)).toEqual([
      ['SELECT', undefined],
      ['SELECT orders', '1146'],
    ]);
    expect(wire.spans()[1]!.statusMessage).toBe("Table 'shop.orders' doesn't exist");
  });

  it('leaves an encrypted connection to TLS', () => {
    const wire = new Wire()
      .server(my.greeting())
      .client(my.packet(1, my.login(0x800).slice(4, 36)))
      .client('\x16\x03\x01\x02\x00\x01\x00');
    expect(wire.counters.of('mysql').malformed).toBe(0);
    expect(wire.conversation.protocol).not.toBe('mysql');
  });

  it('joined in the middle, or with bytes lost, goes on with the next command', () => {
    const wire = new Wire({ fresh: false })
      .client(my.executeStatement(4))
      .server(my.resultSet(false))
      .client(my.query('SELECT 1 FROM a'))
      .lose('server', 60)
      .client(my.query('SELECT 1 FROM b'))
      .server(my.resultSet(true))
      .client(my.query('SELECT 1 FROM c'))
      .server(my.resultSet(true), 20)
      .client(my.query('SELECT 1 FROM d'))
      .server(my.resultSet(true))
      .close();
    expect(brief(wire).map(([name]) => name)).toEqual(['EXECUTE', 'SELECT b', 'SELECT c', 'SELECT d']);
    expect(unaccounted(wire)).toBe(0);
  });
});
