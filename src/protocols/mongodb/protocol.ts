/** MongoDB and what speaks its wire protocol (FerretDB, DocumentDB, Cosmos DB). */
import { CERTAIN, LIKELY, NOT_OURS, type Protocol, type Side, UNDECIDED, type Verdict } from '../protocol.js';
import { describeMongo, MONGODB_ATTRIBUTES, type MongoDetail } from './detail.js';
import { MongoParser, WaitingCursors } from './parser.js';
import { HEADER_BYTES, isPlausible, messageLength } from './wire.js';

/** One for the thread: a cursor is read on other connections than it was opened on. */
const cursors = new WaitingCursors();

export const mongodbProtocol: Protocol<MongoDetail> = {
  name: 'mongodb',
  title: 'MongoDB',
  convention: 'database',
  system: 'mongodb',
  transports: ['tcp', 'unix'],
  ports: [27_017, 27_018, 27_019],
  pairing: 'by_id',
  serverFirst: false,
  carriers: [],
  capture: { request: { head: 1024, tail: 0 }, response: { head: 512, tail: 0 } },
  docs: {
    parsed:
      'OP_MSG with all kinds of sections, checksums, unacknowledged writes (one-way) and streams of answers; OP_QUERY, OP_REPLY and the other messages of old drivers; OP_COMPRESSED with zlib',
    spanName: '`{command} {collection}`; `{command} {database}` for commands without a collection',
    attributes: MONGODB_ATTRIBUTES,
    errors:
      'answers with `ok: 0`, write errors and write concern errors, by their code (`_OTHER` without one); `no_response`, `reset`',
    limits: [
      'Messages compressed with snappy or zstd are noted (`kindling.compression`) and paired; what they ask for is not read.',
      '`db.query.text` shows the command with every value replaced by `?`, and nothing of authentication and user management.',
      'Errors that come behind what was captured are not seen (`writeErrors` after a long answer).',
      'Reads from tailable cursors and change streams, and the `hello` by which drivers watch a server, are shown as waiting.',
    ],
  },

  recognise,
  createParser: (host) => new MongoParser(host, cursors),
  describe: describeMongo,
};

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const length = messageLength(bytes, start, end);
  if (length < 0) return NOT_OURS;
  // Of a length alone only the last byte says something.
  if (length === 0) return end - start >= 4 && bytes[start + 3]! <= 2 ? undecided(from) : NOT_OURS;
  if (!isPlausible(bytes, start, end)) return NOT_OURS;
  const sign = bytes.readInt32LE(start + 8) === 0 ? 1 : -1;
  return sign * (end - start > HEADER_BYTES + 8 ? CERTAIN : LIKELY);
}

const undecided = (from: Side | undefined): Verdict => (from === 'server' ? -UNDECIDED : UNDECIDED);
