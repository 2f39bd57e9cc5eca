/** What a request asks for (native_protocol_v5.spec, section 4.1). */
import type { WireContext } from '../../observer/types.js';
import type { PreparedStatements } from '../sql/prepared.js';
import { readSqlContext } from '../sql/sqlcommenter.js';
import { CONTEXT_HEADERS, readWireContext } from '../trace-context/carriers.js';
import { CqlDetail } from './detail.js';
import { type BodyReader, FLAG, hasSegments, OP } from './envelope.js';

/** Texts by the id that servers make of them: a digest, the same on every connection. */
export type PreparedTexts = PreparedStatements<string>;

const COMMANDS: Readonly<Record<number, string>> = {
  [OP.startup]: 'STARTUP',
  [OP.options]: 'OPTIONS',
  [OP.query]: 'QUERY',
  [OP.prepare]: 'PREPARE',
  [OP.execute]: 'EXECUTE',
  [OP.register]: 'REGISTER',
  [OP.batch]: 'BATCH',
  [OP.authResponse]: 'AUTHENTICATE',
};

const PARAMETER = { values: 0x01, pageSize: 0x04, names: 0x40 } as const;
const MAX_BATCH = 256;
const MAX_PAYLOAD = 16;
const MAX_OPTIONS = 16;

/** `reader` stands at the body; `readable`: it is not compressed, or was undone. */
export function readRequest(
  opcode: number,
  version: number,
  flags: number,
  reader: BodyReader,
  readable: boolean,
  keyspace: string | undefined,
  texts: PreparedTexts,
): { readonly detail: CqlDetail; readonly context: WireContext | undefined } {
  const command = COMMANDS[opcode] ?? '';
  let context: WireContext | undefined;
  let detail = new CqlDetail('command', undefined, false, false, keyspace);
  if (readable) {
    if ((flags & FLAG.payload) !== 0) context = readPayload(reader);
    if (opcode === OP.query || opcode === OP.prepare) {
      const text = reader.longText();
      const kind = opcode === OP.query ? 'query' : 'prepare';
      detail = new CqlDetail(kind, text, reader.cut, false, keyspace);
      if (opcode === OP.query) readParameters(reader, version, detail);
      context ??= readSqlContext(text);
    } else if (opcode === OP.execute) {
      const known = texts.get(reader.id());
      detail = new CqlDetail('query', known?.text, known?.cut ?? false, true, keyspace);
      if (hasSegments(version)) reader.id();
      readParameters(reader, version, detail);
      if (known !== undefined) context ??= readSqlContext(known.text);
    } else if (opcode === OP.batch) detail = readBatch(reader, keyspace, texts);
  }
  detail.opcode = opcode;
  detail.command = command;
  return { detail, context };
}

/** consistency 2 ┬ flags 1 (version 5: 4) ┬ values ┬ page size 4 ┬ … */
function readParameters(reader: BodyReader, version: number, detail: CqlDetail): void {
  if (reader.cut) return;
  const consistency = reader.short();
  if (reader.cut) return;
  detail.consistency = consistency;
  const flags = hasSegments(version) ? reader.int() : reader.byte();
  if ((flags & PARAMETER.values) !== 0) {
    detail.bound = true;
    for (let count = reader.short(); count > 0 && !reader.cut; count--) {
      if ((flags & PARAMETER.names) !== 0) reader.text();
      reader.value();
    }
  }
  if ((flags & PARAMETER.pageSize) === 0) return;
  const size = reader.int();
  if (!reader.cut) detail.pageSize = size;
}

/** type 1 ┬ count 2 ┬ for each: kind 1, text or id, values ┬ consistency 2 ┬ … */
function readBatch(reader: BodyReader, keyspace: string | undefined, texts: PreparedTexts): CqlDetail {
  reader.byte();
  const count = reader.short();
  const statements: string[] = [];
  let bound = true;
  let cut = count > MAX_BATCH;
  for (let i = 0; i < Math.min(count, MAX_BATCH) && !reader.cut; i++) {
    const prepared = reader.byte() === 1;
    const known = prepared ? texts.get(reader.id())?.text : reader.longText();
    bound &&= prepared;
    if (known === undefined) cut = true;
    else if (known !== '' && !statements.includes(known)) statements.push(known);
    for (let values = reader.short(); values > 0 && !reader.cut; values--) reader.value();
  }
  cut ||= reader.cut;
  const text = statements.length === 0 ? undefined : statements.join('; ');
  const detail = new CqlDetail('query', text, cut, bound, keyspace);
  detail.batch = count;
  const consistency = reader.short();
  if (!reader.cut && count <= MAX_BATCH) detail.consistency = consistency;
  return detail;
}

/** Entries of a custom payload may carry a trace context. */
function readPayload(reader: BodyReader): WireContext | undefined {
  const values = new Array<string | undefined>(CONTEXT_HEADERS.length).fill(undefined);
  for (let count = Math.min(reader.short(), MAX_PAYLOAD); count > 0; count--) {
    const key = reader.text();
    const length = reader.int();
    if (length < 0) continue;
    const at = reader.take(length);
    if (at < 0) break;
    const index = CONTEXT_HEADERS.indexOf(key.toLowerCase());
    if (index >= 0) values[index] = reader.bytes.toString('latin1', at, at + length);
  }
  return readWireContext(values);
}

/** Value of COMPRESSION in a STARTUP; '' without one. */
export function readCompression(reader: BodyReader): string {
  for (let count = Math.min(reader.short(), MAX_OPTIONS); count > 0 && !reader.cut; count--) {
    const key = reader.text();
    const value = reader.text();
    if (key.toUpperCase() === 'COMPRESSION') return value.toLowerCase();
  }
  return '';
}
