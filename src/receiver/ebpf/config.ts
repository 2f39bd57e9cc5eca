import { z } from 'zod';
import { byteSize, duration } from '../../config/fields.js';
import { metricsConfig } from '../../observer/metrics/config.js';
import { protocolsConfig } from '../../protocols/config.js';
import { urlTemplatesConfig } from '../../protocols/http/url-templates-config.js';

const selection = (what: string) =>
  z
    .strictObject({
      pids: z.array(z.int().min(1)).default([]).describe(`Process ids to ${what}.`),
      commands: z
        .array(z.string().min(1).max(15))
        .default([])
        .describe(`Command names (the main thread's name, at most 15 characters) to ${what}.`),
      cgroups: z
        .array(z.string().min(1))
        .default([])
        .describe(
          `Control groups to ${what}, with all groups below: paths under /sys/fs/cgroup or absolute.`,
        ),
    })
    .prefault({});

const port = z.int().min(1).max(65_535).describe('Port number.');

const tier = (what: string) => z.enum(['enabled', 'disabled']).default('enabled').describe(what);

export const ebpfConfig = () =>
  z.strictObject({
    targets: z
      .strictObject({
        include: selection('watch').describe('Processes to watch whatever `default` says.'),
        exclude: selection('leave alone').describe('Processes never to watch; wins over `include`.'),
        default: z
          .enum(['all', 'none'])
          .default('all')
          .describe('What happens to processes that no rule names.'),
      })
      .prefault({})
      .describe('Which processes are watched. The agent never watches itself.'),
    tiers: z
      .strictObject({
        network: tier('Requests and responses on TCP sockets.'),
        scheduler: tier('What every thread waits for.'),
        cpu: tier('Stack samples of what runs.'),
      })
      .prefault({})
      .describe('Kinds of observation; each can be turned off.'),
    budget: z
      .strictObject({
        cpus: z
          .number()
          .min(0)
          .default(1.5)
          .describe(
            'CPUs that the agent and its kernel programs may use together. Above it for 3s stack samples are left out, then waits below 1ms, then payload, each counted and logged; given back when the load falls. 0: any.',
          ),
      })
      .prefault({})
      .describe('What observing may cost.'),
    capture_bytes: z
      .int()
      .min(64)
      .max(4096)
      .default(1024)
      .describe(
        'Payload bytes kept of each message. Raise it when long request heads hide the headers that matter.',
      ),
    udp_ports: z
      .array(port)
      .default([53])
      .describe('UDP ports, at either end, whose datagrams are seen. Port 53 is DNS.'),
    unix_sockets: z
      .enum(['enabled', 'disabled'])
      .default('enabled')
      .describe('Requests and responses on unix stream sockets.'),
    ignore_ports: z
      .array(port)
      .default([])
      .describe('TCP ports, at either end, of which nothing is recorded and that cost nothing.'),
    port_limits: z
      .array(
        z.strictObject({
          port,
          protocol: z.enum(['tcp', 'udp']).default('tcp').describe('Transport protocol of the port.'),
          head_bytes: z.int().min(0).max(4096).describe('First bytes kept of each message.'),
          tail_bytes: z
            .int()
            .min(0)
            .max(256)
            .default(0)
            .describe('Last bytes kept of each send or receive that is longer.'),
        }),
      )
      .default([])
      .describe('Payload kept on single ports, at either end, in place of `capture_bytes`.'),
    net_hooks: z
      .enum(['auto', 'socket', 'syscall'])
      .default('auto')
      .describe(
        'How payloads are seen: at the socket (kernel >= 6.16), at system calls, or whatever this kernel has.',
      ),
    ring_buffer_size: byteSize()
      .prefault('16MiB')
      .refine((bytes) => bytes >= 16_384 && bytes <= 1 << 30 && (bytes & (bytes - 1)) === 0, {
        message: 'must be a power of two from 16KiB to 1GiB',
      })
      .describe('Memory shared with the kernel for records under way. Larger survives longer bursts.'),
    cpu_sample_hz: z.int().min(1).max(999).default(49).describe('Stack samples per second and CPU.'),
    tls: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .describe('Read the plaintext of TLS connections in the processes.'),
        libraries: z
          .array(z.enum(['openssl', 'gnutls', 'go']))
          .default(['openssl', 'gnutls', 'go'])
          .describe(
            'Which libraries are probed: OpenSSL and what has its interface, GnuTLS, crypto/tls of Go programs.',
          ),
        max_probe_cost: duration()
          .prefault('20us')
          .describe(
            'A library of which a call would be slowed down by more stays unread. Most cost 2us, some 13us: docs/tls.md.',
          ),
      })
      .prefault({})
      .describe('TLS in clear, by probes in the libraries. Needs the tier `network`.'),
    max_connections: z
      .int()
      .min(16)
      .default(65_536)
      .describe('Connections remembered; about 1 KiB each. The least recently used are dropped, counted.'),
    request_timeout: duration()
      .prefault('60s')
      .describe('After this long without a byte, a request without response becomes a span that says so.'),
    url_query: z
      .enum(['redacted', 'full', 'off'])
      .default('redacted')
      .describe('What spans show of query strings: names without values, everything, or nothing.'),
    url_templates: urlTemplatesConfig(),
    metrics: metricsConfig(),
    // Most TLS connections tell their plaintext; a handshake beside it would be a second account of the same thing.
    protocols: protocolsConfig(['tls']),
    max_pending_size: byteSize()
      .prefault('32MiB')
      .describe('Span batches under way to the pipelines. Above it new ones are dropped, counted.'),
    record_to: z
      .string()
      .optional()
      .describe('File to record everything into that is observed, for the `replay` receiver.'),
    record_max_size: byteSize()
      .prefault('256MiB')
      .describe('Size of that file after which the recording ends.'),
  });

export type EbpfConfig = z.output<ReturnType<typeof ebpfConfig>>;
