/** What a parser must know of Redis commands: https://redis.io/docs/latest/commands/ */

/** Their first argument is a subcommand and a part of their name. */
export const CONTAINERS = new Set(
  'ACL CLIENT CLUSTER COMMAND CONFIG DEBUG FUNCTION LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT SENTINEL SLOWLOG XGROUP XINFO'.split(
    ' ',
  ),
);

/** Their first argument is no key. */
export const KEYLESS = new Set(
  'AUTH HELLO ECHO PING EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO SELECT SCAN KEYS MIGRATE SWAPDB SYNC PSYNC REPLCONF WAIT WAITAOF XREAD XREADGROUP SHUTDOWN SLAVEOF REPLICAOF FAILOVER QUIT BITOP INFO FLUSHALL FLUSHDB BLMPOP BZMPOP LMPOP ZMPOP ZUNION ZINTER ZDIFF SINTERCARD SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE'.split(
    ' ',
  ),
);

/** They wait for something to happen. */
export const BLOCKING = new Set(
  'BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF'.split(' '),
);

/** Answered once for each channel. */
export const SUBSCRIBING = new Set(
  'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE'.split(' '),
);

/** What the server sends to subscribers without being asked. */
export const PUSHES = new Set(['message', 'pmessage', 'smessage', 'invalidate']);

const PREFIX = /^([A-Za-z][A-Za-z_.-]{0,31})[:/|]/;
/** Prefixes that are shown by one thread. Applications have a few dozen; a hundred means that it is none. */
const MAX_PREFIXES = 256;

/** What keys look like without what is different in each: `cart:*`. Bounded. */
export class KeyPatterns {
  readonly #known = new Set<string>();

  /** `cart:*` for `cart:17`; '' for keys without a prefix of letters. */
  of(key: string): string {
    const prefix = PREFIX.exec(key)?.[0];
    if (prefix === undefined) return '';
    if (!this.#known.has(prefix)) {
      if (this.#known.size >= MAX_PREFIXES) return '';
      this.#known.add(prefix);
    }
    return `${prefix}*`;
  }
}
