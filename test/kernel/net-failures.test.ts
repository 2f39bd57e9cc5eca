/** Calls that fail are events: each has a span that says why, and is counted. */
import { afterEach, expect } from 'vitest';
import { describeKernel, netVariants } from '../helpers/kernel.js';
import { Observation } from '../helpers/observe.js';
import { itWith, Workbench } from '../helpers/tools.js';

const bench = new Workbench();

/** Waits for a line, lets calls fail, and prints the ports of each kind. */
const PROGRAM = `
import json, socket, struct, sys, threading

def listen(backlog=16):
    server = socket.socket()
    server.bind(('127.0.0.1', 0))
    server.listen(backlog)
    return server

def port(server):
    return server.getsockname()[1]

sys.stdin.readline()
ports = {}

closed = listen()
ports['connection_refused'] = port(closed)
closed.close()
for i in range(5):
    client = socket.socket()
    try: client.connect(('127.0.0.1', ports['connection_refused']))
    except ConnectionRefusedError: pass
    client.close()

# A queue with room for one: further handshakes are not answered.
full = listen(0)
first = socket.socket()
first.connect(full.getsockname())
ports['timeout'] = ports['connect_abandoned'] = port(full)
patient = socket.socket()
patient.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
try: patient.connect(full.getsockname())
except TimeoutError: pass
patient.close()
hasty = socket.socket()
hasty.settimeout(0.2)
try: hasty.connect(full.getsockname())
except socket.timeout: pass
hasty.close()

def serve(server, reset):
    for i in range(3):
        connection, _ = server.accept()
        connection.recv(1000)
        if reset: connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        connection.close()

for kind in ('reset', 'no_response'):
    server = listen()
    ports[kind] = port(server)
    thread = threading.Thread(target=serve, args=(server, kind == 'reset'))
    thread.start()
    for i in range(3):
        client = socket.create_connection(server.getsockname())
        client.sendall(b'GET /%d HTTP/1.1\\r\\nHost: 127.0.0.1:%d\\r\\n\\r\\n' % (i, port(server)))
        try: client.recv(1000)
        except ConnectionResetError: pass
        client.close()
    thread.join()
print(json.dumps(ports), flush=True)
sys.stdin.readline()
`;

for (const variant of netVariants()) {
  describeKernel(`failed calls (${variant} variant)`, () => {
    afterEach(() => bench.end());

    itWith(
      ['python3'],
      'become spans that say why, and are counted',
      async () => {
        const program = bench.start('python3', ['-c', PROGRAM]);
        const observation = new Observation({
          net_hooks: variant,
          targets: { default: 'none', include: { pids: [program.pid] } },
          tiers: { cpu: 'disabled' },
          budget: { cpus: 0 },
          tls: { enabled: false },
        });
        await observation.start();
        program.stdin!.write('go\n');
        const ports = JSON.parse(
          await new Promise<string>((resolve) =>
            program.stdout!.once('data', (data) => resolve(String(data))),
          ),
        ) as Record<string, number>;
        await observation.stop();

        const failed = (kind: string) =>
          observation.clients.filter(
            ({ attributes }) =>
              attributes['server.port'] === ports[kind] && attributes['error.type'] === kind,
          );
        const counts = { connection_refused: 5, timeout: 1, connect_abandoned: 1, reset: 3, no_response: 3 };
        for (const [kind, count] of Object.entries(counts)) {
          expect([kind, failed(kind).length]).toEqual([kind, count]);
          for (const span of failed(kind)) {
            expect(span.status).toMatchObject({ code: 2 });
            expect(span.resource.attributes).toMatchObject({ 'process.pid': program.pid });
            const connects = !['reset', 'no_response'].includes(kind);
            expect(span.name).toMatch(connects ? /^connect$/ : /^GET \//);
            expect(span.attributes['server.address']).toBe('127.0.0.1');
          }
        }
        expect(observation.clients).toHaveLength(13);
        const [late] = failed('timeout');
        expect(Number(late!.endTimeUnixNano - late!.startTimeUnixNano)).toBeGreaterThan(1e9);
        expect(new Set(observation.clients.map(({ spanId }) => spanId)).size).toBe(13);
        expect(observation.metric('connects_failed')).toBe(7);
      },
      60_000,
    );
  });
}
