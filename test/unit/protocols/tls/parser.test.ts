import { describe, expect, it } from 'vitest';
import * as tls from '../../../helpers/tls-records.js';
import { unaccounted, Wire } from '../../../helpers/wire.js';

const { CHANGE_CIPHER_SPEC: CCS } = tls;
const TLS_1_2 = 0x0303;

const join = (...parts: Buffer[]): Buffer => Buffer.concat(parts);

/** `error.type` and attributes of the only exchange. */
function only(wire: Wire) {
  expect(wire.spans()).toHaveLength(1);
  expect(unaccounted(wire)).toBe(0);
  const [{ protocol, name, errorType, attributes }] = wire.spans() as [ReturnType<Wire['spans']>[number]];
  expect([protocol, name]).toEqual(['tls', 'TLS handshake']);
  const own = Object.entries(attributes).filter(([key]) => key.includes('tls.'));
  return {
    errorType,
    ...Object.fromEntries(own.map(([key, value]) => [key.replace(/^.*tls\./, ''), value])),
  };
}

describe('tls', () => {
  it('tells of a handshake of 1.3', () => {
    const wire = new Wire()
      .client(tls.clientHello({ name: 'shop.example', protocols: ['h2', 'http/1.1'], session: 'aa' }))
      .server(join(tls.serverHello({ session: 'aa' }), CCS, tls.encrypted(900)))
      .client(join(CCS, tls.encrypted(53), tls.encrypted(300)))
      .server(tls.encrypted(500));
    expect(only(wire)).toEqual({
      errorType: undefined,
      'protocol.name': 'tls',
      'protocol.version': '1.3',
      'client.server_name': 'shop.example',
      cipher: 'TLS_AES_128_GCM_SHA256',
      curve: 'x25519',
      resumed: false,
      established: true,
      offered_protocols: ['h2', 'http/1.1'],
    });
    // Until the server's flight: 1 ms for each of the two.
    const { requestStart, responseEnd } = wire.finished[0]!;
    expect(responseEnd - requestStart).toBe(1_000_000);
    expect(wire.conversation.hopeless).toBe(true);
  });

  it.each([1, 3, 7])('tells of a handshake of 1.2 in pieces of %i bytes', (size) => {
    const wire = new Wire();
    const send = (from: 'client' | 'server', bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += size) wire[from](bytes.subarray(at, at + size));
    };
    send('client', tls.clientHello({ name: 'shop.example', protocols: ['h2', 'http/1.1'] }));
    send('server', join(tls.serverHello({ version: TLS_1_2, protocol: 'h2', session: 'bb' }), tls.flight()));
    send('client', join(tls.flight(), CCS, tls.finished()));
    expect(wire.finished).toHaveLength(0);
    send('server', join(CCS, tls.finished()));
    expect(only(wire)).toMatchObject({
      errorType: undefined,
      'protocol.version': '1.2',
      next_protocol: 'h2',
      cipher: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      resumed: false,
      established: true,
    });
    expect(wire.counters.of('tls').malformed).toBe(0);
  });

  it('knows resumed sessions', () => {
    const old = new Wire()
      .client(tls.clientHello({ session: 'cc01' }))
      .server(join(tls.serverHello({ version: TLS_1_2, session: 'cc01' }), CCS, tls.finished()))
      .client(join(CCS, tls.finished()));
    expect(only(old)).toMatchObject({ resumed: true, established: true });
    const early = new Wire()
      .client(join(tls.clientHello({ session: 'aa', protocols: ['h2'] }), CCS, tls.encrypted(200)))
      .server(join(tls.serverHello({ session: 'aa', resumed: true }), CCS, tls.encrypted(100)))
      .client(tls.encrypted(74));
    expect(only(early)).toMatchObject({ resumed: true, established: true, next_protocol: 'h2' });
  });

  it('asks again when the server does', () => {
    const wire = new Wire()
      .client(tls.clientHello({ name: 'a.example' }))
      .server(join(tls.serverHello({ retry: true }), CCS))
      .client(join(CCS, tls.clientHello({ name: 'a.example' })))
      .server(join(tls.serverHello(), tls.encrypted(900)))
      .client(tls.encrypted(53));
    expect(only(wire)).toMatchObject({ errorType: undefined, established: true, 'protocol.version': '1.3' });
  });

  it('names what went wrong', () => {
    const hello = tls.clientHello({ name: 'a.example' });
    const failure = (wire: Wire) => {
      const { errorType, established } = only(wire) as ReturnType<typeof only> & { established?: boolean };
      return [errorType, established];
    };
    expect(failure(new Wire().client(hello).server(tls.alert(2, 40)))).toEqual(['handshake_failure', false]);
    expect(failure(new Wire().client(hello).server(tls.alert(2, 99)))).toEqual(['alert_99', false]);
    const met = (version?: number) =>
      new Wire()
        .client(hello)
        .server(join(tls.serverHello({ version: version ?? 0x0304 }), tls.encrypted(99)));
    const old = new Wire().client(hello).server(join(tls.serverHello({ version: TLS_1_2 }), tls.flight()));
    expect(failure(old.client(tls.alert(2, 48)))).toEqual(['unknown_ca', false]);
    expect(failure(met().client(tls.encrypted(19)))).toEqual(['encrypted_alert', false]);
    expect(failure(met().close())).toEqual(['closed_in_handshake', false]);
    expect(failure(met().close('reset'))).toEqual(['reset', false]);
    expect(failure(new Wire().client(hello).close())).toEqual(['no_response', false]);
    // A warning is none.
    const warned = new Wire()
      .client(hello)
      .server(join(tls.alert(1, 112), tls.serverHello(), tls.encrypted(99)))
      .client(tls.encrypted(53));
    expect(failure(warned)).toEqual([undefined, true]);
  });

  it('is not confused by GREASE and an encrypted hello', () => {
    const wire = new Wire()
      .client(tls.clientHello({ grease: true, name: 'outer.example', protocols: ['h2'] }))
      .server(join(tls.serverHello(), tls.encrypted(900)))
      .client(tls.encrypted(53));
    expect(only(wire)).toMatchObject({ 'client.server_name': 'outer.example', offered_protocols: ['h2'] });
  });

  it('reads what is visible of a hello that was cut', () => {
    const hello = tls.clientHello({ name: 'a.example', grease: true, protocols: ['h2'] });
    const wire = new Wire()
      .client(hello, 120)
      .server(join(tls.serverHello(), tls.encrypted(2000)), 100)
      .client(tls.encrypted(53));
    expect(only(wire)).toMatchObject({ 'client.server_name': 'a.example', established: true });
  });
});
