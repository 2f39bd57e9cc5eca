import { describe, expect, it } from 'vitest';
import * as pg from '../../../helpers/postgres-messages.js';
import { unaccounted, Wire, type WireOptions } from '../../../helpers/wire.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const connected = (options: WireOptions = {}): Wire =>
  new Wire(options).client(pg.startup({ user: 'app', database: 'shop' })).server(pg.AUTHENTICATED);

const rows = (tag: string): string =>
  pg.rowDescription('a') + pg.dataRow('1') + pg.complete(tag) + pg.ready();

/** Name, SQLSTATE, `error.type` of everything that finished. */
const brief = (wire: Wire) =>
  wire
    .spans()
    .map(({ name, errorType, attributes }) => [name, attributes['db.response.status_code'], errorType]);

describe('postgresql', () => {
  it('says what a simple query was', () => {
    const wire = connected()
      .client(pg.query("SELECT * FROM shop.orders WHERE id = 7 AND a = 'x'"))
      .server(rows('SELECT 1'));
    expect(wire.spans()).toMatchObject([
      {
        protocol: 'postgresql',
        name: 'SELECT shop.orders',
        kind: 'client',
        errorType: undefined,
        attributes: {
          'db.system.name': 'postgresql',
          'db.namespace': 'shop',
          'db.operation.name': 'SELECT',
          'db.collection.name': 'shop.orders',
          'db.query.summary': 'SELECT shop.orders',
          'db.query.text': 'SELECT * FROM shop.orders WHERE id = ? AND a = ?',
          'db.response.returned_rows': 1,
        },
      },
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it.each([1, 3, 7])('reads pieces of %i bytes', (size) => {
    const wire = new Wire();
    const send = (from: 'client' | 'server', text: string) => {
      for (let at = 0; at < text.length; at += size) wire[from](text.slice(at, at + size));
    };
    send('client', pg.SSL_REQUEST);
    send('server', 'N');
    send('client', pg.startup({ user: 'app' }));
    send('server', pg.AUTHENTICATED);
    send('client', pg.query('UPDATE t SET a = 1'));
    send('server', pg.complete('UPDATE 1') + pg.ready());
    send('client', pg.query('SELECT nope'));
    send('server', pg.error('42703', 'column "nope" does not exist') + pg.ready());
    expect(brief(wire)).toEqual([
      ['UPDATE t', undefined, undefined],
      ['SELECT', '42703', '42703'],
    ]);
    expect(wire.spans()[1]!.statusMessage).toBe('column "nope" does not exist');
    expect(wire.spans()[0]!.attributes['db.namespace']).toBe('app');
    expect(wire.counters.of('postgresql').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('maps prepared statements to their text, and finds the trace context in its comment', () => {
    const text = `SELECT a FROM t WHERE b = $1 AND c = 5 /*traceparent='${TRACEPARENT}'*/`;
    const wire = connected()
      .client(pg.parse('q', text) + pg.message('D', 'Sq\0') + pg.SYNC)
      .server(
        `${pg.PARSED}${pg.message('t', pg.int16(1) + pg.int32(25))}${pg.rowDescription('a')}${pg.ready()}`,
      )
      .client(pg.bind('', 'q', 'secret') + pg.execute() + pg.SYNC)
      .server(pg.BOUND + pg.dataRow('1') + pg.complete('SELECT 1') + pg.ready());
    expect(wire.spans().map(({ name }) => name)).toEqual(['PREPARE SELECT t', 'SELECT t']);
    expect(wire.spans()[1]!.attributes['db.query.text']).toBe('SELECT a FROM t WHERE b = $1 AND c = 5');
    expect(wire.finished[1]!.context).toMatchObject({
      traceId: TRACEPARENT.slice(3, 35),
      carrier: 'sqlcommenter',
    });
    expect(unaccounted(wire)).toBe(0);
  });

  it('ends each step of a pipeline with its own answer', () => {
    const step = (n: number) =>
      pg.parse('', `INSERT INTO t${n} VALUES ($1)`) + pg.bind('', '', 'v') + pg.execute();
    const wire = connected()
      .client(step(1) + step(2) + step(3) + pg.SYNC + step(4) + pg.SYNC)
      .server(pg.PARSED + pg.BOUND + pg.complete('INSERT 0 1'))
      .server(pg.error('23505', 'duplicate key value violates unique constraint "t2_pkey"') + pg.ready())
      .server(pg.PARSED + pg.BOUND + pg.complete('INSERT 0 1') + pg.ready());
    expect(brief(wire)).toEqual([
      ['INSERT t1', undefined, undefined],
      ['INSERT t2', '23505', '23505'],
      ['INSERT t3', undefined, 'pipeline_aborted'],
      ['INSERT t4', undefined, undefined],
    ]);
    const [first, second] = wire.finished;
    expect(first!.responseEnd).toBeLessThan(second!.responseEnd);
    expect(unaccounted(wire)).toBe(0);
  });

  it('counts the data of COPY with its statement', () => {
    const wire = connected()
      .client(pg.query('COPY items (id) FROM STDIN'))
      .server(pg.message('G', `\0${pg.int16(1)}${pg.int16(0)}`))
      .client(pg.message('d', 'x'.repeat(5000)) + pg.message('c'))
      .server(pg.complete('COPY 1') + pg.ready());
    expect(brief(wire)).toEqual([['COPY items', undefined, undefined]]);
    expect(wire.finished[0]!.requestBytes).toBeGreaterThan(5000);
    expect(unaccounted(wire)).toBe(0);
  });

  it('reports refused connections, cancel requests and fatal errors', () => {
    const refused = new Wire()
      .client(pg.startup({ user: 'eve', database: 'shop' }))
      .server(pg.error('28P01', 'password authentication failed for user "eve"', 'FATAL'));
    expect(brief(refused)).toEqual([['CONNECT shop', '28P01', '28P01']]);
    expect(brief(new Wire().client(pg.CANCEL_REQUEST))).toEqual([['CANCEL', undefined, undefined]]);
    const killed = connected()
      .client(pg.query('SELECT pg_sleep(10)'))
      .server(pg.error('57P01', 'terminating connection due to administrator command', 'FATAL'))
      .close();
    expect(brief(killed)).toEqual([['SELECT', '57P01', '57P01']]);
    for (const wire of [refused, killed]) expect(unaccounted(wire)).toBe(0);
  });

  it('leaves an encrypted connection to TLS', () => {
    const wire = new Wire().client(pg.SSL_REQUEST).server('S').client('\x16\x03\x01\x02\x00\x01\x00');
    expect(wire.counters.of('postgresql').malformed).toBe(0);
    expect(wire.conversation.protocol).not.toBe('postgresql');
  });

  it('joined in the middle, names what the server completed', () => {
    const wire = new Wire({ fresh: false })
      .server(pg.dataRow('1') + pg.complete('SELECT 9') + pg.ready())
      .client(pg.bind('', 'unknown', '1') + pg.execute() + pg.SYNC)
      .server(pg.BOUND + pg.dataRow('1') + pg.complete('SELECT 1') + pg.ready())
      .client(pg.query('DELETE FROM t'))
      .server(pg.complete('DELETE 3') + pg.ready())
      .close();
    expect(brief(wire)).toEqual([
      ['SELECT', undefined, undefined],
      ['DELETE t', undefined, undefined],
    ]);
    expect(wire.counters.of('postgresql').lost.joined_in_middle).toBe(1);
    expect(unaccounted(wire)).toBe(0);
  });

  it('goes on after responses of which only the beginning is captured', () => {
    const wire = connected();
    for (let i = 0; i < 3; i++) {
      wire.client(pg.query(`SELECT ${i} FROM t${i}`));
      wire.server(
        pg.rowDescription('a') + pg.dataRow('1').repeat(50) + pg.complete('SELECT 50') + pg.ready(),
        100,
      );
    }
    wire.client(pg.query('SELECT 1 FROM last')).server(rows('SELECT 1')).close();
    expect(brief(wire).map(([name]) => name)).toEqual(['SELECT t0', 'SELECT t1', 'SELECT t2', 'SELECT last']);
    expect(unaccounted(wire)).toBe(0);
  });

  it('loses only what was in lost bytes', () => {
    const wire = connected().client(pg.query('SELECT 1 FROM a'));
    wire.lose('server', 80);
    wire.client(pg.query('SELECT 1 FROM b')).server(rows('SELECT 1'));
    wire.lose('client', 40);
    wire.server(rows('SELECT 1')).client(pg.query('SELECT 1 FROM c')).server(rows('SELECT 1')).close();
    expect(brief(wire).map(([name]) => name)).toContain('SELECT b');
    expect(brief(wire).map(([name]) => name)).toContain('SELECT c');
    const b = wire.finished.find((_, i) => brief(wire)[i]![0] === 'SELECT b')!;
    expect(b.incomplete).toBeUndefined();
    expect(unaccounted(wire)).toBe(0);
  });

  it('shows no values in messages unless asked for', () => {
    const talk = (options: WireOptions) =>
      connected(options)
        .client(pg.query("SELECT 'a b'::int"))
        .server(pg.error('22P02', 'invalid input syntax for type integer: "a b"') + pg.ready())
        .spans()[0]!;
    expect(talk({}).statusMessage).toBe('invalid input syntax for type integer: ?');
    expect(talk({ options: { queryText: 'full' } }).attributes['db.query.text']).toBe("SELECT 'a b'::int");
    expect(talk({ options: { queryText: 'off' } }).attributes['db.query.text']).toBeUndefined();
  });
});
