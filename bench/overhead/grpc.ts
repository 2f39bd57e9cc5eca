/** A Go gRPC server, built from bench/programs/grpc when Go and its modules are there. It is its own load generator. */
import { mkdirSync } from 'node:fs';
import { findTool, output, startWithPort, stopChild } from './processes.js';
import { type Load, MissingTool, type Subject } from './subject.js';

const SOURCE = 'bench/programs/grpc';
const PROGRAM = `${process.cwd()}/build/bench/grpc-bench`;
const CONNECTIONS = 16;

export const goGrpc: Subject = {
  name: 'Go gRPC',
  spans: false,
  async start() {
    const go = findTool('go', ['/usr/local/go/bin']);
    mkdirSync('build/bench', { recursive: true });
    try {
      await output(go, ['build', '-o', PROGRAM, '.'], { cwd: SOURCE });
    } catch (error) {
      throw new MissingTool(
        `${SOURCE} does not build: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    const { child, port } = await startWithPort(PROGRAM, ['serve']);
    return {
      pid: child.pid!,
      include: { pids: [child.pid!] },
      load: async (seconds, rate) =>
        JSON.parse(
          await output(PROGRAM, ['load', `${port}`, `${seconds}`, `${rate ?? 0}`, `${CONNECTIONS}`]),
        ) as Load,
      stop: () => stopChild(child),
    };
  },
};
