/**
 * Parts of paths, topics and subjects that are ids, by their looks: numbers, UUIDs, hashes, dates, tokens, addresses.
 * For names of low cardinality; a part that is not told from a word here is learned by how many of its kind there are.
 */

/** What stands for an id in a name. */
export const ID = '{id}';

/** No word is as long. */
const LONGEST_WORD = 64;

/**
 * All digits, hex with a digit in it, a run of four digits, long and mixed (base64, ULID, JWT), or an e-mail address:
 * nobody thinks of such a name.
 */
const LOOKS_LIKE_ID =
  /^(?:-?\d+|(?=.*\d)[0-9a-f-]{8,}|(?=.*\d)[0-9A-F-]{8,}|.*\d{4}.*|(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9._~=-]{16,}|(?=.*\d)[0-9A-Z]{20,}|.*(?:@|%40).*)$/s;

export const looksLikeId = (part: string): boolean => part.length > LONGEST_WORD || LOOKS_LIKE_ID.test(part);
