import { execFileSync } from 'node:child_process';

/** Why no network namespace can be made; undefined when it can. */
export function namespaceProblem(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  try {
    execFileSync('nft', ['--version'], { stdio: 'ignore' });
    execFileSync('ip', ['-V'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

let made = 0;

/**
 * A host of its own: a network namespace at the other end of a cable (veth pair), whose traffic can be made to vanish
 * without a word, as when somebody pulls the plug. `remove()` in `afterEach`.
 */
export class FarHost {
  /** Address of the namespace. */
  readonly address: string;
  /** Our end of the cable. */
  readonly nearAddress: string;
  readonly #name: string;

  constructor() {
    const subnet = `10.217.${(process.pid + made) % 256}`;
    this.#name = `kdl-far-${process.pid}-${made++}`;
    this.nearAddress = `${subnet}.1`;
    this.address = `${subnet}.2`;
    const cable = `kdl${process.pid}v${made}`.slice(0, 15);
    ip('netns', 'add', this.#name);
    ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#name);
    ip('addr', 'add', `${this.nearAddress}/30`, 'dev', cable);
    ip('link', 'set', cable, 'up');
    this.#ip('addr', 'add', `${this.address}/30`, 'dev', 'eth0');
    this.#ip('link', 'set', 'eth0', 'up');
    this.#ip('link', 'set', 'lo', 'up');
  }

  /** What to put in front of a command for it to run there. */
  get within(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** From now on what matches (nftables, for example `tcp dport 4317`) is lost in both directions. */
  lose(...matches: readonly string[]): void {
    this.#nft('add table inet lost');
    for (const hook of ['input', 'output']) {
      this.#nft(`add chain inet lost ${hook} { type filter hook ${hook} priority 0; }`);
      for (const match of matches) this.#nft(`add rule inet lost ${hook} ${match} drop`);
    }
  }

  /** Nothing is lost any more. */
  heal(): void {
    this.#nft('delete table inet lost');
  }

  remove(): void {
    ip('netns', 'del', this.#name);
  }

  #ip(...args: string[]): void {
    ip('-n', this.#name, ...args);
  }

  #nft(command: string): void {
    execFileSync('ip', ['netns', 'exec', this.#name, 'nft', command]);
  }
}

const ip = (...args: string[]): void => {
  execFileSync('ip', args);
};
