/**
 * Passwords as Apache's `htpasswd` writes them (https://httpd.apache.org/docs/2.4/misc/password_encryptions.html):
 * plain, `{SHA}`, `{SSHA}`, `$apr1$` and bcrypt (`$2a$`, `$2b$`, `$2y$`).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { compareSync } from 'bcryptjs';

/** Tells whether a password is the right one. */
export type PasswordCheck = (password: string) => boolean;

/** Users of an htpasswd text. Throws with the line's number for a line that is none; later lines win. */
export function parseHtpasswd(text: string): Map<string, PasswordCheck> {
  const users = new Map<string, PasswordCheck>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    if (colon <= 0) throw new Error(`htpasswd: line ${index + 1} is not "user:password"`);
    users.set(line.slice(0, colon), checkOf(line.slice(colon + 1), index + 1));
  }
  return users;
}

function checkOf(stored: string, line: number): PasswordCheck {
  if (stored.startsWith('{SHA}')) {
    const wanted = Buffer.from(stored.slice(5), 'base64');
    return (password) => equal(createHash('sha1').update(password).digest(), wanted);
  }
  if (stored.startsWith('{SSHA}')) {
    const whole = Buffer.from(stored.slice(6), 'base64');
    const [wanted, salt] = [whole.subarray(0, 20), whole.subarray(20)];
    return (password) => equal(createHash('sha1').update(password).update(salt).digest(), wanted);
  }
  if (stored.startsWith('$apr1$')) {
    const [, , salt = '', wanted = ''] = stored.split('$');
    return (password) => equal(Buffer.from(apr1(password, salt)), Buffer.from(wanted));
  }
  if (/^\$2[aby]\$\d\d\$/.test(stored)) return bcrypt(stored, line);
  if (/^\$\w+\$/.test(stored)) {
    const kind = /^\$(\w+)\$/.exec(stored)?.[1];
    throw new Error(`htpasswd: line ${line} has a password hash of an unsupported kind ("$${kind}$")`);
  }
  const wanted = createHash('sha256').update(stored).digest();
  return (password) => equal(createHash('sha256').update(password).digest(), wanted);
}

/** A higher cost would stop everything else for longer than a request may take: 2^12 rounds are a quarter of a second. */
const MAX_COST = 12;
/** Unknown passwords of a user that are looked at per second: guessing must not take the time of everybody else. */
const MAX_CHECKS_PER_SECOND = 5;

/**
 * Checking takes tens of milliseconds by design, so the last password that was right is remembered as a digest: a client
 * that sends the same one with each request costs a hash, also while others guess.
 */
function bcrypt(stored: string, line: number): PasswordCheck {
  if (stored.length !== 60) throw new Error(`htpasswd: line ${line} has a bcrypt hash of a wrong length`);
  if (Number(stored.slice(4, 6)) > MAX_COST) {
    throw new Error(`htpasswd: line ${line} has a bcrypt hash with a cost above ${MAX_COST}`);
  }
  let right: Buffer | undefined;
  let second = 0;
  let checks = 0;
  return (password) => {
    const digest = createHash('sha256').update(password).digest();
    if (right !== undefined && equal(digest, right)) return true;
    const now = Math.floor(Date.now() / 1000);
    checks = now === second ? checks + 1 : 1;
    second = now;
    if (checks > MAX_CHECKS_PER_SECOND || !compareSync(password, stored)) return false;
    right = digest;
    return true;
  };
}

const equal = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Which bytes of the digest go together, least significant last. */
const GROUPS = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;

/**
 * Apache's variant of MD5 crypt (apr_md5_encode in https://github.com/apache/apr-util/blob/1.6.3/crypto/apr_md5.c), 22
 * characters without prefix and salt.
 */
export function apr1(password: string, salt: string): string {
  const md5 = (...parts: (string | Uint8Array)[]): Buffer => {
    const hash = createHash('md5');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const secret = Buffer.from(password);
  const used = Buffer.from(salt.slice(0, 8));
  const inner = md5(secret, used, secret);
  const parts: Uint8Array[] = [secret, Buffer.from('$apr1$'), used];
  for (let left = secret.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)));
  for (let bits = secret.length; bits > 0; bits >>= 1) {
    parts.push(bits & 1 ? Buffer.from([0]) : secret.subarray(0, 1));
  }
  let digest = md5(...parts);
  for (let round = 0; round < 1000; round++) {
    digest = md5(
      round & 1 ? secret : digest,
      round % 3 === 0 ? '' : used,
      round % 7 === 0 ? '' : secret,
      round & 1 ? digest : secret,
    );
  }
  let text = '';
  const put = (value: number, characters: number): void => {
    for (let rest = value, n = 0; n < characters; n++, rest >>>= 6) text += ALPHABET[rest & 63];
  };
  for (const [a, b, c] of GROUPS) put((digest[a]! << 16) | (digest[b]! << 8) | digest[c]!, 4);
  put(digest[11]!, 2);
  return text;
}
