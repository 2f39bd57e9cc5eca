/** The programs of test/peers and how they are started. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const pathOf = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const BUILT = pathOf('build/peers');

export interface PeerProgram {
  /** What is missing when it was not built; undefined when it can be started. */
  readonly missing: string | undefined;
  /** Takes minutes to build the first time: only there with KINDLING_E2E_REFERENCE=1. */
  readonly isSlow: boolean;
  readonly protocols: readonly string[];
  readonly command: readonly string[];
}

const program = (
  name: string,
  isSlow: boolean,
  command: readonly string[],
  protocols: readonly string[],
): PeerProgram => ({
  isSlow,
  missing: existsSync(`${BUILT}/${name}.stamp`)
    ? undefined
    : `build/peers/${name} is missing; scripts/peers/build.sh ${name} builds it`,
  protocols,
  command,
});

const OTLP = ['grpc', 'http/protobuf'];

export const PEER_PROGRAMS: Readonly<Record<string, PeerProgram>> = {
  javascript: {
    missing: undefined,
    isSlow: false,
    protocols: [...OTLP, 'http/json'],
    command: [process.execPath, '--import', 'tsx', pathOf('test/peers/javascript/send.ts')],
  },
  python: program(
    'python',
    false,
    [`${BUILT}/python/bin/python`, '-B', pathOf('test/peers/python/send.py')],
    OTLP,
  ),
  go: program('go', true, [`${BUILT}/go`], OTLP),
  java: program(
    'java',
    true,
    ['java', '-cp', `${BUILT}/java/classes:${BUILT}/java/dependency/*`, 'peer.Send'],
    OTLP,
  ),
};

/** The JDK's HTTP server under the stock Java agent. */
export const JAVA_AGENT: PeerProgram = program(
  'java',
  true,
  [
    'java',
    `-javaagent:${BUILT}/java/opentelemetry-javaagent.jar`,
    '-cp',
    `${BUILT}/java/classes`,
    'peer.Server',
  ],
  OTLP,
);

/** Runs a program to its end and gives what it wrote to stdout. Rejects with its stderr when it fails. */
export async function runProgram(
  { command }: PeerProgram,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const [file = '', ...before] = command;
  const { stdout } = await promisify(execFile)(file, [...before, ...args], {
    env: { ...process.env, ...env },
    maxBuffer: 256 * 1024 * 1024,
    timeout: 120_000,
  });
  return stdout;
}
