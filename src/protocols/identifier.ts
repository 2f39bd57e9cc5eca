/**
 * Parts of paths, topics and subjects that are ids, by their looks: numbers, UUIDs, hashes, dates, tokens, addresses.
 * For names of low cardinality; a part that is not told from a word here may be learned by how many of its kind there are.
 */

/** What stands for an id in a name. */
export const ID = '{id}';

/** No word is as long. */
const LONGEST_WORD = 64;
/** Years, ports, serial numbers: versions and ordinals have fewer digits. */
const LONG_RUN = 4;
/** Hashes and halves of them. */
const SHORTEST_HEX = 8;
const SHORTEST_TOKEN = 16;

const OTHER = 0;
const DIGIT = 1;
const LOWER_HEX = 2;
const LOWER = 3;
const UPPER_HEX = 4;
const UPPER = 5;
/** In dates, versions and times: `2026-11-21`, `10.0.0.1`. */
const BETWEEN_DIGITS = 6;
const DASH = 7;
/** `~` and `=` of base64. */
const FILLER = 8;
const AT = 9;
/** `%40` is an at-sign in a path. */
const PERCENT = 10;

const CLASSES = new Uint8Array(128);
function classify(characters: string, as: number): void {
  for (let i = 0; i < characters.length; i++) CLASSES[characters.charCodeAt(i)] = as;
}
classify('0123456789', DIGIT);
classify('abcdef', LOWER_HEX);
classify('ghijklmnopqrstuvwxyz', LOWER);
classify('ABCDEF', UPPER_HEX);
classify('GHIJKLMNOPQRSTUVWXYZ', UPPER);
classify('.,:_+', BETWEEN_DIGITS);
classify('-', DASH);
classify('~=', FILLER);
classify('@', AT);
classify('%', PERCENT);

/** One pass and no regular expression: it sees every part of every new path. */
export function looksLikeId(part: string): boolean {
  const { length } = part;
  if (length > LONGEST_WORD) return true;
  let digits = 0;
  let run = 0;
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const code = part.charCodeAt(i);
    const kind = code < 128 ? CLASSES[code]! : OTHER;
    if (kind === AT) return true;
    if (kind === DIGIT) {
      digits++;
      run++;
      if (run === LONG_RUN) return true;
    } else run = 0;
    seen |= 1 << kind;
  }
  if (digits === 0) return false;
  if ((seen & (1 << PERCENT)) !== 0 && part.includes('%40')) return true;
  if (hasOnly(seen, NUMBER) && isNumberStart(part)) return true;
  if (length >= SHORTEST_HEX && hasOnly(seen, HEX)) return true;
  if (length < SHORTEST_TOKEN) return false;
  return (
    digits * 5 > length || (hasOnly(seen, TOKEN) && (seen & ANY_LOWER) !== 0 && (seen & ANY_UPPER) !== 0)
  );
}

const NUMBER = (1 << DIGIT) | (1 << BETWEEN_DIGITS) | (1 << DASH);
const ANY_LOWER = (1 << LOWER) | (1 << LOWER_HEX);
const ANY_UPPER = (1 << UPPER) | (1 << UPPER_HEX);
const HEX = (1 << DIGIT) | (1 << LOWER_HEX) | (1 << UPPER_HEX) | (1 << DASH);
const TOKEN = NUMBER | ANY_LOWER | ANY_UPPER | (1 << FILLER);

const hasOnly = (seen: number, allowed: number): boolean => (seen & ~allowed) === 0;

/** A digit, or a sign before one. */
const isNumberStart = (part: string): boolean => {
  const first = part[0]!;
  const code = part.charCodeAt(first === '-' || first === '+' ? 1 : 0);
  return code >= 0x30 && code <= 0x39;
};
