import { createHash, timingSafeEqual } from 'node:crypto';
import { type StatWatcher, unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  type AuthSources,
  authenticatorKey,
  type ClientAuthenticator,
  type ServerAuthenticator,
  sourceOf,
} from '../../component/auth.js';
import type { Extension, Host, Settings } from '../../component/component.js';
import type { BearerTokenAuthConfig } from './config.js';

/** How often a token file is looked at. Polling sees what events miss: a Kubernetes secret is a symbolic link that moves. */
const POLL_MS = 1000;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** A token (RFC 6750), in both directions. Comparing takes the same time for every wrong token, and none is ever shown. */
export class BearerTokenAuth implements Extension, ServerAuthenticator, ClientAuthenticator {
  readonly #settings: Settings;
  readonly #config: BearerTokenAuthConfig;
  /** What the header must hold: scheme and token. */
  #values: readonly string[];
  #digests: readonly Buffer[];
  #watcher: StatWatcher | undefined;

  constructor(settings: Settings, config: BearerTokenAuthConfig) {
    this.#settings = settings;
    this.#config = config;
    const tokens = config.token === undefined ? config.tokens : [config.token];
    this.#values = tokens.map((token) => this.#valueOf(token.reveal()));
    this.#digests = this.#values.map(digest);
  }

  /** Rejects when the token file can't be read or is empty. */
  async start(host: Host): Promise<void> {
    const { filename } = this.#config;
    if (filename !== '') {
      await this.#read();
      this.#watcher = watchFile(filename, { interval: POLL_MS, persistent: false }, () => void this.reload());
    }
    host.provide(authenticatorKey(this.#settings.id), { server: this, client: this });
  }

  async shutdown(): Promise<void> {
    if (this.#watcher !== undefined) unwatchFile(this.#config.filename);
    this.#watcher = undefined;
  }

  problem(sources: AuthSources): string | undefined {
    const { header } = this.#config;
    const given = sourceOf(sources, header);
    if (sources[header.toLowerCase()] === undefined)
      return `missing or empty authorization header: ${header}`;
    const wanted = digest(given);
    // All are compared, so that the time doesn't tell which one was close.
    const matches = this.#digests.filter((one) => timingSafeEqual(one, wanted));
    return matches.length > 0 ? undefined : 'provided authorization does not match expected scheme or token';
  }

  headers(): Readonly<Record<string, string>> {
    return { [this.#config.header.toLowerCase()]: this.#values[0] ?? '' };
  }

  /** Reads the file again; a bad one leaves the tokens as they are. The watcher calls it; tests call it themselves. */
  async reload(): Promise<void> {
    try {
      await this.#read();
      this.#settings.logger.info('Token file was read again.', { filename: this.#config.filename });
    } catch (error) {
      this.#settings.logger.error('Reading the token file again failed. The old tokens stay.', {
        error: (error as Error).message,
      });
    }
  }

  async #read(): Promise<void> {
    const { filename } = this.#config;
    const text = await readFile(filename, 'utf8');
    const tokens = text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    if (tokens.length === 0) throw new Error(`no bearer token in ${filename}`);
    this.#values = tokens.map((token) => this.#valueOf(token));
    this.#digests = this.#values.map(digest);
  }

  #valueOf(token: string): string {
    const { scheme } = this.#config;
    return scheme === '' ? token : `${scheme} ${token}`;
  }
}
