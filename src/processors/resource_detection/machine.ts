/** What detectors look at, injected for tests. */
import { lookup, lookupService } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { arch, hostname, networkInterfaces, release, version } from 'node:os';

export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: () => string;
  /** Name of the machine by its address, as the domain name system has it. */
  readonly fullName: (signal: AbortSignal) => Promise<string>;
  readonly arch: () => string;
  readonly kernel: () => { readonly release: string; readonly description: string };
  /** Addresses that are not loopback. */
  readonly interfaces: () => readonly { readonly address: string; readonly mac: string }[];
  /** Rejects when the file can't be read. */
  readonly readFile: (path: string) => Promise<string>;
  /** JSON from the HTTP server behind a Unix socket. */
  readonly getJson: (socketPath: string, path: string, signal: AbortSignal) => Promise<unknown>;
}

export const thisMachine = (): Machine => ({
  env: process.env,
  hostname,
  fullName: async () => {
    const { address } = await lookup(hostname());
    const name = (await lookupService(address, 0)).hostname;
    // Where the name stands beside the loopback address in /etc/hosts; every machine is called so.
    if (/^localhost(\.|$)/.test(name)) throw new Error(`the name of ${address} is ${name}`);
    return name;
  },
  arch,
  kernel: () => ({ release: release(), description: version() }),
  interfaces: () =>
    Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).filter(({ internal }) => !internal).map(({ address, mac }) => ({ address, mac })),
    ),
  readFile: (path) => readFile(path, 'utf8'),
  getJson,
});

/** Longest answer that is read. */
const MAX_ANSWER_BYTES = 1 << 20;

function getJson(socketPath: string, path: string, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, signal, headers: { host: 'localhost' } }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        try {
          if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
          resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        } catch (error) {
          reject(error);
        }
      });
    });
    call.on('error', reject);
    call.end();
  });
}
