import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { type ExchangeJson, toExchangeJson } from '../../../src/capture/exchange-json.js';
import { isCaptureFile } from '../../../src/capture/packet-file.js';
import { type Played, playCapture } from '../../../src/capture/play.js';
import { DEFAULT_URL_TEMPLATES } from '../../../src/protocols/http/url-template.js';
import { DEFAULT_PROTOCOL_OPTIONS } from '../../../src/protocols/options.js';
import { ProtocolRegistry } from '../../../src/protocols/registry.js';
import { ethernet, type Frame, ipv4Fragment, pcapFile, pcapngFile, TcpModel } from '../../helpers/pcap.js';
import { seededRandom } from '../../helpers/random.js';

const directory = mkdtempSync(join(tmpdir(), 'kindling-capture-'));
afterAll(() => rmSync(directory, { recursive: true }));

const CLIENT = { address: '10.0.0.1', port: 40_000 };
const SERVER = { address: '10.0.0.2', port: 8080 };
const BODY = 'x'.repeat(4000);
const response = (body = BODY) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const talk = (client = CLIENT, server = SERVER, open = true) => {
  const model = new TcpModel(client, server);
  if (open) model.open();
  for (const path of ['/a', '/b', '/c']) {
    model.client(
      `POST ${path} HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3000\r\n\r\n${BODY.slice(0, 3000)}`,
    );
    model.server(response());
  }
  return model.close();
};
const frames = (model: TcpModel): Frame[] =>
  model.packets.map(({ time, ip }) => ({ time, data: ethernet(ip) }));

let files = 0;
async function play(bytes: Buffer, name = `${files++}.pcap`) {
  const file = join(directory, name);
  writeFileSync(file, bytes);
  expect(await isCaptureFile(file)).toBe(true);
  const exchanges: ExchangeJson[] = [];
  const played: Played = await playCapture(
    file,
    {
      registry: new ProtocolRegistry(),
      protocols: DEFAULT_PROTOCOL_OPTIONS,
      urlTemplates: DEFAULT_URL_TEMPLATES,
      side: 'client',
    },
    (exchange, facts, ends, epoch) => {
      exchanges.push(toExchangeJson(exchange, facts, ends, epoch));
    },
  );
  return { exchanges, played };
}
const urls = (exchanges: readonly ExchangeJson[]) =>
  exchanges.map(({ attributes }) => attributes['url.full']);
const ALL = ['a', 'b', 'c'].map((path) => `http://shop.test/${path}`);

describe('playCapture', () => {
  it('prints what happened, when, and between whom', async () => {
    const { exchanges } = await play(pcapFile(frames(talk())));
    expect(urls(exchanges)).toEqual(ALL);
    expect(exchanges[0]).toMatchObject({
      protocol: 'http',
      start: '2026-04-24T03:06:40.004000000Z',
      duration_ns: 6e6,
      client: '10.0.0.1:40000',
      server: '10.0.0.2:8080',
      name: 'POST /a',
      kind: 'client',
      status: 'unset',
    });
  });

  const at14 = (link: number, ip: Buffer): Buffer => {
    if (link === 1) return ethernet(ip, 5, 7);
    if (link === 101) return ip;
    if (link === 0) return Buffer.concat([Buffer.from([2, 0, 0, 0]), ip]);
    if (link === 108) return Buffer.concat([Buffer.from([0, 0, 0, 2]), ip]);
    const sll = Buffer.alloc(link === 113 ? 16 : 20);
    sll.writeUInt16BE(ip[0]! >> 4 === 6 ? 0x86dd : 0x0800, link === 113 ? 14 : 0);
    return Buffer.concat([sll, ip]);
  };

  it.each([
    1, 101, 0, 108, 113, 276,
  ])('reads link type %i, IPv4 and IPv6, any format of file', async (linkType) => {
    for (const address of ['10.0.0.2', 'fd00::2']) {
      const client = { address: address === 'fd00::2' ? 'fd00::1' : '10.0.0.1', port: 40_000 };
      const linked = talk(client, { address, port: 8080 }).packets.map(({ time, ip }) => ({
        time,
        data: at14(linkType, ip),
      }));
      for (const file of [
        pcapFile(linked, { linkType }),
        pcapFile(linked, { linkType, big: true, nano: true }),
        pcapngFile(linked, { linkType }),
        pcapngFile(linked, { linkType, big: true }),
      ]) {
        const { exchanges } = await play(file);
        expect(urls(exchanges)).toEqual(ALL);
        expect(exchanges[0]!.start).toBe('2026-04-24T03:06:40.004000000Z');
      }
    }
  });

  it('reads gzip, and a file that ends in the middle', async () => {
    const file = pcapFile(frames(talk()));
    expect(urls((await play(gzipSync(file), 'x.pcap.gz')).exchanges)).toEqual(ALL);
    const { exchanges, played } = await play(file.subarray(0, file.length - 3));
    expect(urls(exchanges)).toEqual(ALL);
    expect(played.truncated).toBe(true);
  });

  it('puts TCP in order: reordered, repeated, overlapping', async () => {
    const random = seededRandom(3);
    for (let round = 0; round < 200; round++) {
      const packets = frames(talk());
      const times = packets.map(({ time }) => time);
      for (let i = 3; i < packets.length - 4; i++) {
        const dice = random();
        if (dice < 0.2) [packets[i], packets[i + 1]] = [packets[i + 1]!, packets[i]!];
        else if (dice < 0.3) packets.splice(i + 1 + Math.floor(random() * 2), 0, packets[i]!);
      }
      const file = pcapFile(packets.map(({ data }, i) => ({ time: times[i] ?? times.at(-1)! + i, data })));
      const { exchanges, played } = await play(file, 'order.pcap');
      expect(urls(exchanges), `round ${round}`).toEqual(ALL);
      expect(played.run.stats.bytesLost).toBe(0);
    }
  });

  it('loses no more than what is missing, and says so', async () => {
    for (let missing = 3; missing < 20; missing++) {
      const packets = frames(talk());
      packets.splice(missing, 1);
      const { exchanges, played } = await play(pcapFile(packets), 'lossy.pcap');
      const count = played.counters.of('http1');
      const lost = Object.values(count.lost).reduce((a, b) => a + b, 0);
      expect(exchanges.length + lost, `without packet ${missing}`).toBe(3);
      expect(exchanges.length).toBeGreaterThanOrEqual(2);
    }
  });

  it('reads heads when packets are cut, by the lengths on the wire', async () => {
    const { exchanges } = await play(pcapFile(frames(talk()), { snap: 160 }));
    expect(urls(exchanges)).toEqual(ALL);
    expect(exchanges.map((exchange) => exchange.response_bytes)).toEqual(
      [1, 2, 3].map(() => response().length),
    );
  });

  it('starts in the middle of a connection', async () => {
    const packets = frames(talk()).slice(5);
    const { exchanges } = await play(pcapFile(packets));
    expect(urls(exchanges)).toEqual(ALL.slice(1));
    expect(exchanges[0]).toMatchObject({ client: '10.0.0.1:40000', server: '10.0.0.2:8080' });
  });

  it('puts fragments together, whatever their order', async () => {
    const packets = talk().packets.flatMap(({ time, ip }, index) => {
      const payload = ip.subarray(20);
      if (payload.length < 600) return [{ time, data: ethernet(ip) }];
      const parts = [0, 512, 1024]
        .filter((offset) => offset < payload.length)
        .map((offset) =>
          ipv4Fragment(
            ip.subarray(12, 16).join('.'),
            ip.subarray(16, 20).join('.'),
            6,
            payload.subarray(offset, offset + 512),
            index,
            offset,
            offset + 512 < payload.length,
          ),
        );
      return parts.reverse().map((part) => ({ time, data: ethernet(part) }));
    });
    const { exchanges, played } = await play(pcapFile(packets));
    expect(urls(exchanges)).toEqual(ALL);
    expect(played.run.stats.fragmentsLost).toBe(0);
  });

  it('tells a reset from a close, and a new connection on the same ports from the old one', async () => {
    const first = new TcpModel(CLIENT, SERVER).open().client('GET /a HTTP/1.1\r\n\r\n').reset('server');
    const second = new TcpModel(CLIENT, SERVER, 1e9)
      .open()
      .client('GET /b HTTP/1.1\r\n\r\n')
      .server(response())
      .close();
    const { exchanges } = await play(pcapFile([...frames(first), ...frames(second)]));
    expect(exchanges.map(({ name, error_type, status }) => [name, error_type, status])).toEqual([
      ['GET /a', 'reset', 'error'],
      ['GET /b', undefined, 'unset'],
    ]);
  });

  it('refuses what is no capture', async () => {
    const file = join(directory, 'text');
    writeFileSync(file, 'hello, this is no capture');
    expect(await isCaptureFile(file)).toBe(false);
    const registry = new ProtocolRegistry();
    const options = {
      registry,
      protocols: DEFAULT_PROTOCOL_OPTIONS,
      urlTemplates: DEFAULT_URL_TEMPLATES,
      side: 'client',
    } as const;
    await expect(playCapture(file, options, () => {})).rejects.toThrow('neither pcap nor pcapng');
  });
});
