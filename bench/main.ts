/**
 * `npm run bench -- [name…]`: runs benchmarks one after the other, prints a table for each and writes
 * build/bench/<name>.json (machine, kernel, commit, figures). Without a name it lists them.
 *
 * Figures are for comparison within one run on one machine: ratios, medians of interleaved rounds.
 */
import { report } from './report.js';

/** Name → module with `run(args)`; loaded on demand so that a missing tool only concerns its own benchmark. */
const BENCHMARKS: Record<string, { what: string; load: () => Promise<{ run(): Promise<object> }> }> = {
  observer: {
    what: 'time of the observer per kernel record, on synthetic records (needs nothing)',
    load: () => import('./observer.js'),
  },
  overhead: {
    what: 'CPU per request of servers (HTTP, TLS, Redis, PostgreSQL, gRPC) and of the agent, tier by tier (needs root)',
    load: () => import('./overhead.js'),
  },
  tls: {
    what: 'the same of an HTTPS server, with and without its plaintext (needs root, wrk and openssl)',
    load: () => import('./tls.js'),
  },
  otlp: {
    what: 'spans per CPU-second of the pipelines, beside a real Collector (scripts/otelcol/build.sh builds it)',
    load: () => import('./otlp.js'),
  },
  protocols: {
    what: 'time per message of every protocol, and per message of another one that it rejects (needs nothing)',
    load: () => import('./protocols.js'),
  },
};

const names = process.argv.slice(2);
if (names.length === 0) {
  console.log('Benchmarks (npm run bench -- NAME):');
  for (const [name, { what }] of Object.entries(BENCHMARKS)) console.log(`  ${name.padEnd(12)}${what}`);
}
for (const name of names) {
  const benchmark = BENCHMARKS[name];
  if (!benchmark) {
    console.error(`Error: no benchmark "${name}"; one of: ${Object.keys(BENCHMARKS).join(', ')}`);
    process.exitCode = 1;
    continue;
  }
  const { run } = await benchmark.load();
  await report(name, await run());
}
