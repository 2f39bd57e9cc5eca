/** A command's document as text: names and structure, with every value replaced by `?` unless asked for. */
import { BSON, BsonWalk } from './bson.js';

const LONGEST = 1024;
const MAX_DEPTH = 8;
/** Elements of one document or array that are shown. */
const MAX_ELEMENTS = 16;
/** What drivers add to every command. */
const HIDDEN = new Set([
  'lsid',
  '$db',
  '$clusterTime',
  '$readPreference',
  'txnNumber',
  'startTransaction',
  'autocommit',
  'readConcern',
  'writeConcern',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
]);

export function queryText(document: Buffer, full: boolean): string {
  const text = documentText(document, 0, document.length, full, 0, false);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

function documentText(
  bytes: Buffer,
  start: number,
  end: number,
  full: boolean,
  depth: number,
  array: boolean,
): string {
  const walk = new BsonWalk().open(bytes, start, end);
  const parts: string[] = [];
  let length = 0;
  while (length < LONGEST && walk.next()) {
    const name = bytes.toString('utf8', walk.name, walk.nameEnd);
    if (depth === 0 && HIDDEN.has(name)) continue;
    // Lists of values say nothing once they are hidden.
    if (parts.length === MAX_ELEMENTS || (array && !full && parts.length === 1)) {
      parts.push('...');
      break;
    }
    // The command's own value is the collection; getMore says it apart.
    const named = depth === 0 && (parts.length === 0 || name === 'collection');
    const value = valueText(bytes, walk, end, full || named, full, depth);
    const part = array ? value : `${JSON.stringify(name)}: ${value}`;
    parts.push(part);
    length += part.length;
  }
  if (!walk.complete && parts.at(-1) !== '...') parts.push('...');
  const inside = parts.join(', ');
  return array ? `[${inside}]` : `{${inside}}`;
}

function valueText(
  bytes: Buffer,
  walk: BsonWalk,
  end: number,
  shown: boolean,
  full: boolean,
  depth: number,
): string {
  const { type, value } = walk;
  if (type === BSON.document || type === BSON.array) {
    if (depth >= MAX_DEPTH) return '...';
    const stop = Math.min(end, walk.valueEnd);
    return documentText(bytes, value, stop, full, depth + 1, type === BSON.array);
  }
  if (!shown) return '?';
  if (type === BSON.string) return JSON.stringify(walk.text());
  if (type === BSON.bool) return String(walk.number() === 1);
  const number = walk.number();
  if (number !== undefined && type !== BSON.int64) return String(number);
  return type === 0x0a ? 'null' : '?';
}
