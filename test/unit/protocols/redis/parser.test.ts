import { describe, expect, it } from 'vitest';
import { unaccounted, Wire, type WireOptions } from '../../../helpers/wire.js';

const command = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

/** Name, `db.response.status_code`, text of everything that finished. */
const brief = (wire: Wire) =>
  wire
    .spans()
    .map(({ name, attributes }) => [
      name,
      attributes['db.response.status_code'],
      attributes['db.query.text'],
    ]);

describe('redis', () => {
  it('says what a command was, without its values', () => {
    const wire = new Wire()
      .client(command('SET', 'cart:17', 'secret', 'EX', '60'))
      .server('+OK\r\n')
      .client(command('get', 'f81d4fae'))
      .server('$-1\r\n');
    expect(wire.spans()).toMatchObject([
      {
        protocol: 'redis',
        name: 'SET cart:*',
        errorType: undefined,
        attributes: {
          'db.system.name': 'redis',
          'db.namespace': '0',
          'db.operation.name': 'SET',
          'db.query.summary': 'SET cart:*',
          'db.query.text': 'SET cart:* ? ? ?',
        },
      },
      { name: 'GET', attributes: { 'db.query.text': 'GET ?' } },
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it.each([1, 2, 5])('reads pieces of %i bytes', (size) => {
    const wire = new Wire();
    const send = (from: 'client' | 'server', text: string) => {
      for (let at = 0; at < text.length; at += size) wire[from](text.slice(at, at + size));
    };
    send('client', command('LPUSH', 'q:1', 'x'.repeat(300)) + command('LRANGE', 'q:1', '0', '-1'));
    send('server', `:1\r\n*2\r\n${bulk('a\r\nb')}*1\r\n${bulk('')}`);
    send('client', command('HGETALL', 'h'));
    send('server', `|1\r\n+ttl\r\n:3600\r\n%1\r\n+a\r\n,3.25\r\n`);
    send('client', command('GET', 'h'));
    send('server', '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n');
    expect(brief(wire).map(([name, code]) => [name, code])).toEqual([
      ['LPUSH q:*', undefined],
      ['LRANGE q:*', undefined],
      ['HGETALL', undefined],
      ['GET', 'WRONGTYPE'],
    ]);
    expect(wire.counters.of('redis').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('counts what EXEC runs and finds the error among its replies', () => {
    const wire = new Wire()
      .client(command('MULTI') + command('SET', 'a', 'x') + command('INCR', 'a') + command('EXEC'))
      .server('+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n-ERR value is not an integer\r\n');
    const exec = wire.spans()[3]!;
    expect(wire.spans().map(({ name }) => name)).toEqual(['MULTI', 'SET', 'INCR', 'EXEC']);
    expect(exec).toMatchObject({ errorType: 'ERR', attributes: { 'db.operation.batch.size': 2 } });
  });

  it('reports redirects of a cluster', () => {
    const wire = new Wire()
      .client(command('GET', 'k') + command('GET', 'k'))
      .server('-MOVED 7629 127.0.0.1:7001\r\n-ASK 7629 127.0.0.1:7002\r\n');
    expect(brief(wire).map(([, code]) => code)).toEqual(['MOVED', 'ASK']);
  });

  it.each(['*', '>'])('keeps messages to subscribers apart (%s)', (mark) => {
    const push = (...words: string[]) => `${mark}${words.length}\r\n${words.map(bulk).join('')}`;
    const confirm = (kind: string, channel: string, n: number) =>
      `${mark}3\r\n${bulk(kind)}${bulk(channel)}:${n}\r\n`;
    const wire = new Wire()
      .client(command('SUBSCRIBE', 'a', 'b'))
      .server(confirm('subscribe', 'a', 1))
      .server(push('message', 'a', 'hello') + confirm('subscribe', 'b', 2) + push('message', 'b', 'x'))
      .client(command('UNSUBSCRIBE'))
      .server(push('message', 'b', 'y') + confirm('unsubscribe', 'a', 1) + confirm('unsubscribe', 'b', 0))
      .client(command('PING'))
      .server('+PONG\r\n')
      .close();
    expect(brief(wire).map(([name]) => name)).toEqual(['SUBSCRIBE', 'UNSUBSCRIBE', 'PING']);
    expect(wire.counters.of('redis').missed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('follows the selected database', () => {
    const wire = new Wire()
      .client(command('SELECT', '3'))
      .server('+OK\r\n')
      .client(command('SELECT', '99'))
      .server('-ERR DB index is out of range\r\n')
      .client(command('GET', 'a'))
      .server('$-1\r\n');
    expect(wire.spans().at(-1)!.attributes['db.namespace']).toBe('3');
  });

  it('says which commands wait, and which are not answered', () => {
    const wire = new Wire()
      .client(command('BLPOP', 'jobs', '0'))
      .server(`*2\r\n${bulk('jobs')}${bulk('x')}`)
      .client(command('XREAD', 'COUNT', '1', 'block', '0', 'STREAMS', 's', '$'))
      .server('*-1\r\n')
      .client(command('CLIENT', 'REPLY', 'OFF') + command('SET', 'a', 'b') + command('CLIENT', 'REPLY', 'ON'))
      .server('+OK\r\n');
    expect(wire.finished.map(({ waiting }) => waiting)).toEqual([true, true, false, false, false]);
    expect(wire.spans().at(-1)!.name).toBe('CLIENT REPLY');
    expect(unaccounted(wire)).toBe(0);
  });

  it('reads inline commands', () => {
    const wire = new Wire({ serverPort: 6379 })
      .client('PING\r\n')
      .server('+PONG\r\n')
      .client('SET cart:1 secret\r\n')
      .server('+OK\r\n');
    expect(brief(wire)).toEqual([
      ['PING', undefined, 'PING'],
      ['SET cart:*', undefined, 'SET cart:* ?'],
    ]);
  });

  it('never shows passwords', () => {
    const talk = (options: WireOptions) =>
      new Wire(options)
        .client(command('AUTH', 'joe', 'secret'))
        .server('-WRONGPASS invalid username-password pair\r\n')
        .client(command('HELLO', '3', 'AUTH', 'joe', 'secret'))
        .server('-NOAUTH x\r\n');
    for (const queryText of ['sanitised', 'full'] as const) {
      expect(
        JSON.stringify(
          talk({ options: { queryText } })
            .spans()
            .map(({ attributes }) => attributes),
        ),
      ).not.toContain('secret');
    }
  });

  it('shows no arguments that an error repeats', () => {
    const wire = new Wire()
      .client(command('NOSUCH', 'secret'))
      .server("-ERR unknown command 'NOSUCH', with args beginning with: 'secret' \r\n");
    expect(wire.spans()[0]!.statusMessage).toBe("ERR unknown command 'NOSUCH'");
  });

  it('goes on after replies of which only the beginning is captured', () => {
    const wire = new Wire();
    for (let i = 0; i < 3; i++) {
      wire.client(command('GET', `big:${i}`), 300).server(bulk('x'.repeat(5000)), 256);
      wire.client(command('LRANGE', 'l', '0', '-1')).server(`*100\r\n${bulk('item').repeat(100)}`, 256);
      wire.client(command('SET', 'doc:1', 'y'.repeat(5000)), 512).server('+OK\r\n');
    }
    wire.close();
    expect(brief(wire).map(([name]) => name)).toEqual(
      Array.from({ length: 3 }, () => ['GET big:*', 'LRANGE', 'SET doc:*']).flat(),
    );
    expect(wire.finished.every(({ incomplete }) => incomplete === undefined)).toBe(true);
    expect(unaccounted(wire)).toBe(0);
  });

  it('is joined in the middle, and loses only what was lost', () => {
    const wire = new Wire({ fresh: false }).server(bulk('x')).client(command('GET', 'a:1')).server(bulk('y'));
    wire.client(command('GET', 'b:1')).lose('server', 20);
    wire.client(command('GET', 'c:1')).server(bulk('z'));
    wire.client(command('GET', 'd:1')).server(bulk('z')).close();
    expect(brief(wire).map(([name]) => name)).toEqual(['GET a:*', 'GET c:*', 'GET d:*']);
    expect(wire.counters.of('redis').lost).toMatchObject({ joined_in_middle: 1, not_captured: 1 });
    expect(unaccounted(wire)).toBe(0);
  });
});
