/** Cassandra and what speaks CQL (ScyllaDB, Keyspaces, YugabyteDB). */
import {
  CERTAIN,
  LIKELY,
  NOT_OURS,
  POSSIBLE,
  type Protocol,
  type Side,
  UNDECIDED,
  type Verdict,
} from '../protocol.js';
import { PreparedStatements } from '../sql/prepared.js';
import { SQL_CARRIERS } from '../sql/sqlcommenter.js';
import { SqlStatements } from '../sql/statement.js';
import { CONTEXT_HEADERS } from '../trace-context/carriers.js';
import { CASSANDRA_ATTRIBUTES, type CqlDetail, describeCassandra } from './detail.js';
import { envelopeLength, HEADER_BYTES, isVersion, OP } from './envelope.js';
import { CassandraParser } from './parser.js';
import { segmentHeader } from './segments.js';

/** For the thread: statements are the same on all connections, and so are the ids that servers give them. */
const texts = new PreparedStatements<string>();
/** CQL's texts, quoted names and comments are those of PostgreSQL. */
const statements = new SqlStatements('postgresql');

export const cassandraProtocol: Protocol<CqlDetail> = {
  name: 'cassandra',
  title: 'Cassandra (CQL)',
  convention: 'database',
  system: 'cassandra',
  transports: ['tcp'],
  ports: [9042],
  pairing: 'by_id',
  serverFirst: false,
  carriers: [...SQL_CARRIERS, ...CONTEXT_HEADERS.map((header) => `custom payload \`${header}\``)],
  capture: { request: { head: 1024, tail: 0 }, response: { head: 512, tail: 0 } },
  docs: {
    parsed:
      'CQL binary protocol 3 to 5 with the frames of version 5; queries, prepared statements mapped to their text whatever connection prepared them, batches, authentication; LZ4',
    spanName: '`{summary}`; `PREPARE {summary}`, `BATCH`, `STARTUP`, `OPTIONS`, `REGISTER`, `AUTHENTICATE`',
    attributes: CASSANDRA_ATTRIBUTES,
    errors: 'every ERROR, by its code as the specification writes it (`0x2200`); `no_response`, `reset`',
    limits: [
      'A statement that was prepared before the agent saw the server is named `EXECUTE`.',
      'Bodies that are compressed with snappy are paired and not read.',
      '`db.namespace` is the keyspace that the connection was told to use; joined in the middle it is not known.',
      'Events of the server are no exchanges.',
    ],
  },

  recognise,
  createParser: (host) => new CassandraParser(host, texts),
  describe: (exchange, span, options) => describeCassandra(exchange, span, options, statements),
};

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const first = bytes[start]!;
  if (isVersion(first & 0x7f)) {
    const fromClient = first < 0x80;
    const length = envelopeLength(fromClient, bytes, start, end);
    if (length === 0)
      return end - start > 4 ? POSSIBLE * (fromClient ? 1 : -1) : UNDECIDED * (fromClient ? 1 : -1);
    if (length > 0) {
      const verdict = envelopeVerdict(bytes, start, end, length);
      if (verdict !== NOT_OURS) return fromClient ? verdict : -verdict;
    }
  }
  return from === undefined ? NOT_OURS : segmentVerdict(bytes, start, end, from);
}

function envelopeVerdict(bytes: Buffer, start: number, end: number, length: number): Verdict {
  const body = start + HEADER_BYTES;
  const content = length - HEADER_BYTES;
  const compressed = (bytes[start + 1]! & 1) !== 0;
  const ends = start + length === end;
  switch (bytes[start + 4]) {
    case OP.startup:
      return content >= 4 && end - body > 13 && bytes.toString('latin1', body + 4, body + 7) === 'CQL'
        ? CERTAIN
        : NOT_OURS;
    case OP.options:
    case OP.ready:
      return content === 0 && ends ? CERTAIN - 8 : NOT_OURS;
    case OP.query:
    case OP.prepare: {
      if (compressed || end - body < 8) return POSSIBLE;
      const text = bytes.readUInt32BE(body);
      return text > 0 && text + 4 <= content ? CERTAIN - 8 : NOT_OURS;
    }
    case OP.execute: {
      if (compressed || end - body < 8) return POSSIBLE;
      const id = bytes.readUInt16BE(body);
      return id > 0 && id + 4 <= content && id <= 64 ? LIKELY : NOT_OURS;
    }
    case OP.result: {
      if (compressed || end - body < 4) return POSSIBLE;
      const kind = bytes.readUInt32BE(body);
      return kind >= 1 && kind <= 5 ? LIKELY : NOT_OURS;
    }
    default:
      return ends ? LIKELY : POSSIBLE;
  }
}

/** A frame of version 5 has a checksum over its header. */
function segmentVerdict(bytes: Buffer, start: number, end: number, from: Side): Verdict {
  if (end - start < 16) return NOT_OURS;
  const sign = from === 'client' ? 1 : -1;
  if (segmentHeader(bytes, start, end, false) > 0) {
    return envelopeLength(from === 'client', bytes, start + 6, end) > 0 ? sign * CERTAIN : NOT_OURS;
  }
  return NOT_OURS;
}
