/** Commands of MongoDB: the first element of the document that asks for one. */
import { TextCache } from '../text-cache.js';
import { BSON, BsonWalk } from './bson.js';

/** Commands whose documents hold secrets: their text is never shown. */
export const SECRET: ReadonlySet<string> = new Set([
  'authenticate',
  'saslStart',
  'saslContinue',
  'getnonce',
  'createUser',
  'updateUser',
  'copydbgetnonce',
  'copydbsaslstart',
  'copydb',
  'hello',
  'isMaster',
  'ismaster',
]);

/** What is read of a command. */
export interface Command {
  name: string;
  collection: string;
  database: string;
  /** Documents, updates or deletes that it brings along; 0 for none, -1 when not all were seen. */
  batch: number;
  /** The server may wait with its answer until something happens. */
  waits: boolean;
  /** The cursor that it opens waits: a change stream, or a tailable cursor that awaits data. */
  opensWaiting: boolean;
  /** Of getMore: the cursor's id, as 16 hex digits. */
  cursor: string;
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/;
/** Names of commands that the agent shows; servers have some two hundred. */
const MAX_NAMES = 512;
const OTHER = '_OTHER';

/** One for the thread: names are nothing of any connection. */
const texts = new TextCache();
const names = new Set<string>();

function nameOf(bytes: Buffer, start: number, end: number): string {
  const name = texts.text(bytes, start, end);
  if (names.has(name)) return name;
  if (names.size >= MAX_NAMES || !NAME.test(name)) return OTHER;
  names.add(name);
  return name;
}

const BATCHES = new Set(['documents', 'updates', 'deletes', 'ops']);
export const isBatch = (name: string): boolean => BATCHES.has(name);

const walk = new BsonWalk();
const inner = new BsonWalk();

/** The command in the document at `start`; undefined when not even its name is visible. */
export function readCommand(bytes: Buffer, start: number, end: number): Command | undefined {
  walk.open(bytes, start, end);
  if (!walk.next()) return undefined;
  const command: Command = {
    name: nameOf(bytes, walk.name, walk.nameEnd),
    collection: '',
    database: '',
    batch: 0,
    waits: false,
    opensWaiting: false,
    cursor: '',
  };
  if (command.name === 'getMore' && walk.type === BSON.int64 && walk.whole) {
    command.cursor = bytes.toString('hex', walk.value, walk.value + 8);
  } else if (walk.whole) command.collection = walk.text();
  // {explain: {find: "orders", …}}
  if (walk.type === BSON.document) {
    inner.open(bytes, walk.value, Math.min(end, walk.valueEnd));
    if (inner.next() && inner.whole) command.collection = inner.text();
  }
  while (walk.next()) option(bytes, end, command);
  return command;
}

function option(bytes: Buffer, end: number, command: Command): void {
  if (walk.is('$db'))
    command.database = walk.whole ? texts.text(bytes, walk.value + 4, walk.valueEnd - 1) : '';
  else if (walk.is('collection') && command.name === 'getMore') command.collection = walk.text();
  else if (walk.is('maxAwaitTimeMS')) command.waits = true;
  else if (walk.is('awaitData')) command.opensWaiting = walk.number() === 1;
  else if (walk.is('pipeline') && walk.type === BSON.array) {
    // [{$changeStream: …}, …]
    inner.open(bytes, walk.value, Math.min(end, walk.valueEnd));
    if (!inner.next() || inner.type !== BSON.document) return;
    const stage = inner.value;
    inner.open(bytes, stage, Math.min(end, walk.valueEnd));
    command.opensWaiting = inner.next() && inner.is('$changeStream');
  } else if (walk.type === BSON.array && isBatch(texts.text(bytes, walk.name, walk.nameEnd))) {
    command.batch = countElements(bytes, walk.value, Math.min(end, walk.valueEnd));
  }
}

/** Elements of the array at `start`; -1 when not all are visible. */
export function countElements(bytes: Buffer, start: number, end: number): number {
  inner.open(bytes, start, end);
  let count = 0;
  while (inner.next()) count++;
  return inner.complete ? count : -1;
}

/** What is read of an answer. */
export interface Answer {
  /** Error code; 0 for none, -1 for one without a code. */
  code: number;
  message: string;
  /** Documents in its batch; -1 when there is none or it was not visible. */
  rows: number;
  /** Cursor that it opens, as 16 hex digits; '' for none. */
  cursor: string;
}

const NO_CURSOR = '0'.repeat(16);

export function readAnswer(bytes: Buffer, start: number, end: number): Answer {
  const answer: Answer = { code: 0, message: '', rows: -1, cursor: '' };
  let ok: number | undefined;
  let code = 0;
  let message = '';
  walk.open(bytes, start, end);
  while (walk.next()) {
    if (walk.is('ok')) ok = walk.number();
    else if (walk.is('code')) code = walk.number() ?? 0;
    else if (walk.is('errmsg') || walk.is('$err')) {
      message = walk.text();
      // Legacy answers have no `ok`.
      if (walk.is('$err')) ok = 0;
    } else if (walk.is('cursor') && walk.type === BSON.document) readCursor(bytes, end, answer);
    else if (walk.is('writeErrors') || walk.is('writeConcernError')) {
      readWriteError(bytes, end, answer, walk.type === BSON.array);
    }
  }
  if (ok === 0) {
    answer.code = code === 0 ? -1 : code;
    answer.message = message;
  }
  return answer;
}

function readCursor(bytes: Buffer, end: number, answer: Answer): void {
  const stop = Math.min(end, walk.valueEnd);
  const cursor = new BsonWalk().open(bytes, walk.value, stop);
  while (cursor.next()) {
    if (cursor.is('id') && cursor.type === BSON.int64 && cursor.whole) {
      const id = bytes.toString('hex', cursor.value, cursor.value + 8);
      if (id !== NO_CURSOR) answer.cursor = id;
    } else if (cursor.type === BSON.array && (cursor.is('firstBatch') || cursor.is('nextBatch'))) {
      answer.rows = countElements(bytes, cursor.value, Math.min(stop, cursor.valueEnd));
    }
  }
}

/** `writeErrors: [{index, code, errmsg}]`, `writeConcernError: {code, errmsg}`: the first counts. */
function readWriteError(bytes: Buffer, end: number, answer: Answer, list: boolean): void {
  if (answer.code !== 0) return;
  const stop = Math.min(end, walk.valueEnd);
  const error = new BsonWalk().open(bytes, walk.value, stop);
  if (list) {
    if (!error.next() || error.type !== BSON.document) return;
    error.open(bytes, error.value, stop);
  }
  answer.code = -1;
  while (error.next()) {
    if (error.is('code')) answer.code = error.number() ?? -1;
    else if (error.is('errmsg')) answer.message = error.text();
  }
}
