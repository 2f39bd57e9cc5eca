/** Peers that vanish without a word, as when a machine loses its power: no FIN, no RST, packets just go nowhere. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  freePort,
  killLeftovers,
  type Running,
  removeTemporaryDirectories,
  startAgent,
} from '../helpers/agent.js';
import { CountingBackend } from '../helpers/faults/counting-backend.js';
import { CountingGrpcBackend } from '../helpers/faults/counting-grpc-backend.js';
import { FarHost, namespaceProblem } from '../helpers/faults/far-host.js';
import { exporterAccount, faultConfig } from '../helpers/faults/faulty-agent.js';
import { NumberingSender } from '../helpers/faults/numbering-sender.js';

const obstacle = namespaceProblem();
const problem = process.env.KINDLING_REQUIRE_KERNEL === '1' ? undefined : obstacle;
if (problem !== undefined) console.warn(`e2e: tests of vanished peers are skipped: ${problem}`);

const ends: (() => unknown)[] = [];
afterEach(async () => {
  await killLeftovers();
  for (const end of ends.splice(0)) await end();
  removeTemporaryDirectories();
});

function farHost(): FarHost {
  const host = new FarHost();
  ends.push(() => host.remove());
  return host;
}

/** Connections of the agent's own namespace to this port of it. */
const established = (agent: Running, port: number): number =>
  readFileSync(`/proc/${agent.child.pid}/net/tcp`, 'utf8')
    .split('\n')
    .filter((line) => new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} \\S+ 01 `).test(line))
    .length;

describe.skipIf(problem !== undefined)('a backend that vanishes', () => {
  it.each([
    'otlp_http',
    'otlp_grpc',
  ] as const)('is found again by %s, and gets everything', async (exporter) => {
    const host = farHost();
    const http = new CountingBackend(0, host.nearAddress);
    const grpc = new CountingGrpcBackend(host.nearAddress);
    await http.start();
    const grpcPort = await grpc.start();
    ends.push(
      () => http.stop(),
      () => grpc.stop(),
    );
    const [port, backendPort] = [await freePort(), exporter === 'otlp_http' ? http.port : grpcPort];
    const { counts } = exporter === 'otlp_http' ? http : grpc;
    const config = JSON.parse(
      faultConfig({
        receiverPort: port,
        receiverHost: host.address,
        backendPort,
        backendHost: host.nearAddress,
        queue: { queue_size: 1e6 },
      }),
    );
    if (exporter === 'otlp_grpc') {
      const { endpoint, ...options } = config.exporters.otlp_http;
      const address = endpoint.replace('http://', '');
      config.exporters = { otlp_grpc: { ...options, endpoint: address, tls: { insecure: true } } };
      config.service.pipelines.traces.exporters = ['otlp_grpc'];
    }
    const agent = await startAgent(JSON.stringify(config), [], { within: host.within });
    const sender = new NumberingSender({ host: host.address, port, pauseMs: 5 });
    sender.start();
    await expect.poll(() => counts.size, { timeout: 20_000 }).toBeGreaterThan(100);
    host.lose(`tcp dport ${backendPort}`, `tcp sport ${backendPort}`);
    const before = sender.acknowledged.size;
    await expect.poll(() => sender.acknowledged.size, { timeout: 20_000 }).toBeGreaterThan(before + 1000);
    // Long enough for the calls that were on their way to give up, several times.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const arrived = counts.size;
    expect(sender.acknowledged.size - arrived).toBeGreaterThan(500);
    host.heal();
    await sender.stop();
    // Far sooner than TCP gives up a connection (15 minutes).
    await expect
      .poll(() => [...sender.acknowledged].filter((number) => !counts.has(number)).length, {
        timeout: 60_000,
        interval: 100,
      })
      .toBe(0);
    expect(await agent.stop()).toBe(0);
    expect(exporterAccount(agent, exporter)).toMatchObject({ dropped: 0, held: 0 });
  });
});

describe.skipIf(problem !== undefined)('clients that vanish', () => {
  it('in the middle of a request are forgotten, over HTTP and gRPC', async () => {
    const host = farHost();
    const [httpPort, grpcPort] = [await freePort(), await freePort()];
    const backend = new CountingBackend();
    await backend.start();
    ends.push(() => backend.stop());
    const config = JSON.parse(
      faultConfig({ receiverPort: httpPort, receiverHost: host.address, backendPort: backend.port }),
    );
    config.receivers.otlp.protocols.grpc = { endpoint: `${host.address}:${grpcPort}` };
    const agent = await startAgent(JSON.stringify(config), [], { within: host.within });
    const begin = async (port: number, text: string): Promise<void> => {
      const socket = connect({ host: host.address, port });
      socket.on('error', () => {});
      ends.push(() => socket.destroy());
      await once(socket, 'connect');
      socket.write(text, 'latin1');
    };
    for (let i = 0; i < 20; i++) {
      await begin(httpPort, 'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nbegun');
      await begin(grpcPort, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    }
    const left = (): number[] => [established(agent, httpPort), established(agent, grpcPort)];
    await expect.poll(left, { timeout: 20_000 }).toEqual([20, 20]);
    host.lose(`tcp dport { ${httpPort}, ${grpcPort} }`, `tcp sport { ${httpPort}, ${grpcPort} }`);
    // 15 s of silence, then ten questions a second apart.
    await expect.poll(left, { timeout: 90_000, interval: 500 }).toEqual([0, 0]);
    expect(await agent.stop()).toBe(0);
  });
});
