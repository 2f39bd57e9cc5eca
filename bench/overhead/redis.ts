/** Redis: redis-benchmark as fast as it goes, a paced client of our own at a rate (redis-benchmark has none). */
import { findTool, freePort, output, startListening, stopChild } from './processes.js';
import type { Load, Subject } from './subject.js';

const CONNECTIONS = 16;

export const redis: Subject = {
  name: 'Redis',
  spans: false,
  async start() {
    const benchmark = findTool('redis-benchmark');
    const port = await freePort();
    const args = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--daemonize',
      'no',
    ];
    const child = await startListening(findTool('redis-server'), args, port);
    return {
      pid: child.pid!,
      include: { pids: [child.pid!] },
      load: (seconds, rate) =>
        rate === undefined ? asFastAsItGoes(benchmark, port, seconds) : paced(port, seconds, rate),
      stop: () => stopChild(child),
    };
  },
};

/** redis-benchmark takes a count and no time: a short run says how many fit into `seconds`. */
async function asFastAsItGoes(program: string, port: number, seconds: number): Promise<Load> {
  const run = async (requests: number) => {
    const args = [
      '-p',
      String(port),
      '-c',
      String(CONNECTIONS),
      '-n',
      String(requests),
      '-t',
      'get',
      '--csv',
    ];
    const line = (await output(program, args)).trim().split('\n').at(-1)!;
    return line.split(',').map((cell) => Number(cell.replaceAll('"', '')));
  };
  const perSecond = (await run(20_000))[1]!;
  const requests = Math.round(perSecond * seconds);
  // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
  const cells = await run(requests);
  return { requests: requests + 20_000, p50Us: cells[4]! * 1000, p99Us: cells[6]! * 1000 };
}

const paced = async (port: number, seconds: number, rate: number): Promise<Load> =>
  JSON.parse(
    await output(process.execPath, [
      'bench/programs/redis-load.mjs',
      `${port}`,
      `${seconds}`,
      `${rate}`,
      `${CONNECTIONS}`,
    ]),
  ) as Load;
