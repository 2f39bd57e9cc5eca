import { describe, expect, it } from 'vitest';
import { ask, tell } from '../../../fuzz/protocols/seeds/memcached.js';
import { unaccounted, Wire } from '../../../helpers/wire.js';

const brief = (wire: Wire) => wire.spans().map(({ name, errorType }) => [name, errorType]);

describe('memcached', () => {
  it.each([1, 4, 1000])('reads the text protocol in pieces of %i bytes', (size) => {
    const wire = new Wire();
    const send = (from: 'client' | 'server', text: string) => {
      for (let at = 0; at < text.length; at += size) wire[from](text.slice(at, at + size));
    };
    send('client', 'set user:1 0 60 9\r\nget x\r\nab\r\nget user:1 user:2\r\n');
    send('server', 'STORED\r\nVALUE user:1 0 9\r\nEND\r\nab\r\n\r\nEND\r\n');
    send('client', 'set a 0 0 1 noreply\r\n1\r\nincr a 1\r\nnosuch\r\ndelete a\r\nstats\r\n');
    send('server', '2\r\nERROR\r\nNOT_FOUND\r\nSTAT pid 1\r\nEND\r\n');
    expect(brief(wire)).toEqual([
      ['set', undefined],
      ['get', undefined],
      ['set', undefined],
      ['incr', undefined],
      ['_OTHER', 'ERROR'],
      ['delete', undefined],
      ['stats', undefined],
    ]);
    expect(wire.spans()[1]!.attributes).toMatchObject({
      'db.system.name': 'memcached',
      'db.operation.name': 'get',
      'db.query.text': 'get ? ...',
    });
    expect(wire.counters.of('memcached').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('knows which quiet meta commands were answered', () => {
    const wire = new Wire()
      .client('mg a v q k\r\nmg b v q Oxyz\r\nms c 2 q\r\nok\r\nmn\r\n')
      .server('VA 5 Oxyz\r\nhello\r\nMN\r\n');
    expect(brief(wire).map(([name]) => name)).toEqual(['mg', 'mg', 'ms', 'mn']);
    expect(wire.finished.map(({ responseBytes }) => responseBytes > 0)).toEqual([false, true, false, true]);
    expect(wire.finished.every(({ incomplete }) => incomplete === undefined)).toBe(true);
    expect(unaccounted(wire)).toBe(0);
  });

  it('reads the binary protocol with quiet commands and errors', () => {
    const wire = new Wire()
      .client(ask(0x09, 1, 'a') + ask(0x09, 2, 'b') + ask(0x11, 3, 'c', '\0'.repeat(8), 'v') + ask(0x0a, 4))
      .server(tell(0x09, 2, 0, '\0\0\0\0x') + tell(0x0a, 4))
      .client(ask(0x00, 5, 'none'))
      .server(tell(0x00, 5, 1, 'Not found'))
      .client(ask(0x05, 6, 'word', '\0'.repeat(20)))
      .server(tell(0x05, 6, 6, 'Non-numeric'))
      .client(ask(0x10, 7))
      .server(tell(0x10, 7, 0, '1', 'pid') + tell(0x10, 7));
    expect(brief(wire)).toEqual([
      ['get', undefined],
      ['get', undefined],
      ['set', undefined],
      ['noop', undefined],
      ['get', undefined],
      ['incr', '0x0006'],
      ['stats', undefined],
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('goes on after values of which only the beginning is captured, and after lost bytes', () => {
    const value = (key: string) => `VALUE ${key} 0 5000\r\n${'v'.repeat(5000)}\r\nEND\r\n`;
    const wire = new Wire({ fresh: false })
      .client('get a\r\n')
      .server(value('a'), 100)
      .client(`set b 0 0 5000\r\n${'v'.repeat(5000)}\r\n`, 100)
      .server('STORED\r\n')
      .client('get c\r\n')
      .lose('server', 50)
      .client('get d\r\n')
      .server('END\r\n')
      .close();
    expect(brief(wire).map(([name]) => name)).toEqual(['get', 'set', 'get']);
    expect(wire.counters.of('memcached').lost.not_captured).toBe(1);
    expect(unaccounted(wire)).toBe(0);
  });
});
