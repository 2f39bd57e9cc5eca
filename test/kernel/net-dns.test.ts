/** DNS over UDP by a server and resolvers that nobody here wrote: a span at each end of each question, counted exactly. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect } from 'vitest';
import { describeKernel, netVariants } from '../helpers/kernel.js';
import { Observation, type ObservedSpan } from '../helpers/observe.js';
import { itWith, Workbench } from '../helpers/tools.js';

const run = promisify(execFile);
const bench = new Workbench();

/** Names of this run: others may ask for theirs at the same time. */
const ZONE = `k${process.pid}.test`;

const TIMEOUT = 60_000;

for (const variant of netVariants()) {
  describeKernel(`DNS (${variant} variant)`, () => {
    let observation: Observation;
    let folder: string;

    beforeEach(async () => {
      folder = bench.folder();
      writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:5\n');
      writeFileSync(join(folder, 'nsswitch.conf'), 'hosts: dns\n');
      observation = new Observation({
        net_hooks: variant,
        targets: {
          default: 'none',
          include: { commands: ['dnsmasq', 'dig', 'getent', 'node', 'python3'] },
        },
        tiers: { cpu: 'disabled' },
        budget: { cpus: 0 },
        tls: { enabled: false },
      });
      await observation.start();
    });

    afterEach(async () => {
      await observation.stop();
      await bench.end();
    });

    /** Runs a shell script in a network of its own whose resolver asks a dnsmasq, and returns what that had to answer. */
    async function inNetwork(script: string, listen = ''): Promise<string[]> {
      const log = join(folder, 'queries.log');
      await run('unshare', [
        ...['--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c'],
        `set -e
         ip link set lo up
         mount --bind ${folder}/resolv.conf /etc/resolv.conf
         mount --bind ${folder}/nsswitch.conf /etc/nsswitch.conf
         dnsmasq --user=root --no-resolv --no-hosts --pid-file=${folder}/pid --log-queries --log-facility=${log} \
           --log-async=0 ${listen} --local=/${ZONE}/ --address=/a.${ZONE}/10.0.0.9 --txt-record=t.${ZONE},hello
         ${script}
         kill $(cat ${folder}/pid)`,
      ]);
      await observation.stop();
      return readFileSync(log, 'utf8')
        .split('\n')
        .flatMap((line) => /query\[(\w+)\] (\S+) from/.exec(line)?.slice(1, 3).join(' ') ?? [])
        .filter((query) => query.includes(ZONE));
    }

    const ours = (spans: readonly ObservedSpan[]) =>
      spans.filter(({ attributes }) => String(attributes['dns.question.name']).endsWith(ZONE));

    const asked = ({ name, attributes }: ObservedSpan): string =>
      `${name.replace('DNS ', '')} ${attributes['dns.question.name']}`;

    const RESOLVERS: readonly (readonly [string, readonly string[], string])[] = [
      [
        'getent',
        ['getent'],
        `for i in 1 2 3 4 5; do getent ahosts a.${ZONE}; done; getent hosts b.${ZONE} || true`,
      ],
      ['dig', ['dig'], `dig +short a.${ZONE} t.${ZONE} TXT b.${ZONE}; dig +short -4 +notcp a.${ZONE} AAAA`],
      [
        'Node, both of its resolvers',
        [],
        `${process.execPath} -e "
           const dns = require('node:dns').promises;
           (async () => {
             await Promise.all(Array.from({ length: 20 }, (_, i) => dns.resolve4(i % 2 ? 'a.${ZONE}' : 'x' + i + '.a.${ZONE}')));
             await dns.lookup('a.${ZONE}');
             await dns.resolve4('b.${ZONE}').catch(() => {});
           })()"`,
      ],
      [
        'Python',
        ['python3'],
        `python3 -c "
import socket
for i in range(5): socket.getaddrinfo('a.${ZONE}', 80)
for i in range(5): socket.gethostbyname('a.${ZONE}')"`,
      ],
    ];

    for (const [name, tools, script] of RESOLVERS) {
      itWith(
        ['unshare', 'ip', 'dnsmasq', ...tools],
        `sees every question of ${name}`,
        async () => {
          const queries = await inNetwork(script);
          const clients = ours(observation.clients);
          const servers = ours(observation.servers);
          expect(queries.length).toBeGreaterThan(3);
          expect(servers.map(asked).sort()).toEqual([...queries].sort());
          expect(clients.map(asked).sort()).toEqual([...queries].sort());
          for (const span of clients) {
            expect(span.attributes).toMatchObject({
              'server.address': '127.0.0.1',
              'server.port': 53,
              'network.transport': 'udp',
              'network.protocol.name': 'dns',
            });
            const question = asked(span);
            if (question === `A b.${ZONE}`) expect(span.attributes['error.type']).toBe('NXDOMAIN');
            if (/^A .*a\.k/.test(question)) {
              expect(span.attributes['dns.answers']).toEqual(['10.0.0.9']);
              expect(span.attributes['error.type']).toBeUndefined();
            }
            if (span.name === 'DNS TXT') expect(span.attributes['dns.answers']).toEqual(['hello']);
          }
          // The two ends are one trace.
          const byId = new Map(clients.map((span) => [span.spanId, span]));
          for (const server of servers) {
            expect(byId.get(server.parentSpanId)).toMatchObject({ traceId: server.traceId });
            expect(asked(byId.get(server.parentSpanId)!)).toBe(asked(server));
          }
          expect(new Set(servers.map(({ parentSpanId }) => parentSpanId)).size).toBe(queries.length);
          expect(observation.metric('exchanges_held')).toBe(0);
        },
        TIMEOUT,
      );
    }

    itWith(
      ['unshare', 'ip', 'dnsmasq', 'dig'],
      'says when nobody answers, and when nobody is there',
      async () => {
        const queries = await inNetwork(
          `${process.execPath} -e "
           const socket = require('node:dgram').createSocket('udp4');
           socket.bind(53, '127.0.0.9', () => require('node:child_process').execFileSync('sh', ['-c',
             'dig @127.0.0.9 +tries=1 +timeout=1 mute.${ZONE}; dig @127.0.0.8 +tries=1 +timeout=1 gone.${ZONE}; dig @127.0.0.1 a.${ZONE}'],
             { stdio: 'ignore' })); socket.unref();"`,
          '--bind-interfaces --listen-address=127.0.0.1',
        );
        expect(queries).toEqual([`A a.${ZONE}`]);
        const errors = Object.fromEntries(
          ours(observation.clients).map(({ attributes }) => [
            attributes['dns.question.name'],
            [attributes['error.type'], attributes['server.address'], attributes['server.port']],
          ]),
        );
        expect(errors).toEqual({
          [`mute.${ZONE}`]: ['no_response', '127.0.0.9', 53],
          [`gone.${ZONE}`]: ['connection_refused', '127.0.0.8', 53],
          [`a.${ZONE}`]: [undefined, '127.0.0.1', 53],
        });
      },
      TIMEOUT,
    );
  });
}
