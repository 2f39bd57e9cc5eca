/** PostgreSQL: frontend/backend protocol 3.0 to 3.2. */
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
import { describeSql, SQL_ATTRIBUTES, type SqlDetail } from '../sql/describe.js';
import { SQL_CARRIERS } from '../sql/sqlcommenter.js';
import { SqlStatements } from '../sql/statement.js';
import { chain, code, startLength } from './messages.js';
import { PostgresParser } from './parser.js';

/** Texts and what they say: nothing of any connection. */
const statements = new SqlStatements('postgresql');

export const postgresqlProtocol: Protocol<SqlDetail> = {
  name: 'postgresql',
  title: 'PostgreSQL',
  convention: 'database',
  system: 'postgresql',
  transports: ['tcp', 'unix'],
  ports: [5432, 5433, 6432],
  pairing: 'in_order',
  serverFirst: false,
  carriers: SQL_CARRIERS,
  capture: { request: { head: 1024, tail: 0 }, response: { head: 256, tail: 8 } },
  docs: {
    parsed:
      'Simple queries, the extended protocol with prepared statements mapped to their text, pipelines, `COPY`, function calls, cancel requests, refused connections; the way from `SSLRequest` to TLS',
    spanName: '`{summary}`; `PREPARE {summary}`, `CONNECT {database}` (refused), `CANCEL`',
    attributes: SQL_ATTRIBUTES,
    errors:
      'every ErrorResponse, by SQLSTATE; `pipeline_aborted` for statements that the server passed over after an error; `no_response`, `reset`',
    limits: [
      'A statement that was prepared before the connection was seen has no text; it is named by what the server says it completed.',
      '`db.namespace` is the database that the connection was opened with; joined in the middle it is not known.',
      'Connections that open without an error, `Close`, and notifications are no exchanges.',
      'Pipelined requests after lost bytes are dropped (`not_captured`) until the server is ready and idle.',
    ],
  },

  recognise,
  createParser: (host) => new PostgresParser(host),
  describe: (exchange, span, options) => describeSql(exchange, span, options, 'postgresql', statements),
};

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const first = bytes[start]!;
  if (first === 0) {
    const length = startLength(bytes, start, end);
    if (length === 0) return UNDECIDED;
    return length > 0 ? CERTAIN : NOT_OURS;
  }
  if (end - start < 5) return NOT_OURS;
  // Lengths of more than 16 MiB are rare enough to wait for the next message.
  if (bytes[start + 1] !== 0) return NOT_OURS;
  if (from !== 'server') {
    const complete = chain(true, bytes, start, end);
    if (complete > 0 || (complete === 0 && (first === code('Q') || first === code('P')))) {
      return clientVerdict(bytes, first, complete, start, end);
    }
  }
  if (from === 'client') return NOT_OURS;
  const complete = chain(false, bytes, start, end);
  if (complete < 0) return NOT_OURS;
  if (complete === 0) return -UNDECIDED;
  if (endsReady(bytes, end)) return -CERTAIN;
  return complete > 2 ? -LIKELY : -POSSIBLE;
}

function clientVerdict(bytes: Buffer, first: number, complete: number, start: number, end: number): Verdict {
  if (first === code('Q'))
    return isStatement(bytes, start + 5) ? (complete > 0 ? CERTAIN : LIKELY) : POSSIBLE;
  const synced = bytes[end - 5] === code('S') && bytes.readUInt32BE(end - 4) === 4;
  if (synced && complete > 1) return CERTAIN;
  return complete > 2 ? LIKELY : POSSIBLE;
}

/** A statement begins with a letter, a comment or a parenthesis. */
function isStatement(bytes: Buffer, at: number): boolean {
  const value = bytes[at] ?? 0;
  const lower = value | 0x20;
  return (
    (lower >= 0x61 && lower <= 0x7a) || value === 0x2f || value === 0x2d || value === 0x28 || value === 0x20
  );
}

function endsReady(bytes: Buffer, end: number): boolean {
  return end >= 6 && bytes[end - 6] === code('Z') && bytes.readUInt32BE(end - 5) === 5;
}
