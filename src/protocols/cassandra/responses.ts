/** What a response says (native_protocol_v5.spec, section 4.2). */
import { type BodyReader, FLAG } from './envelope.js';

const RESULT = { rows: 2, keyspace: 3, prepared: 4 } as const;
const METADATA = { globalTable: 1, morePages: 2, none: 4, changed: 8 } as const;
const MAX_COLUMNS = 512;
const MAX_TYPE_DEPTH = 8;

/** What comes before the body where flags say so. */
export function skipPrefix(reader: BodyReader, flags: number): void {
  if ((flags & FLAG.tracing) !== 0) reader.take(16);
  if ((flags & FLAG.warnings) !== 0) {
    for (let count = reader.short(); count > 0 && !reader.cut; count--) reader.text();
  }
  if ((flags & FLAG.payload) !== 0) {
    for (let count = reader.short(); count > 0 && !reader.cut; count--) {
      reader.text();
      reader.value();
    }
  }
}

export interface CqlResult {
  /** -1 when it is no answer with rows, or their number was not visible. */
  readonly rows: number;
  /** Keyspace that is used from here on. */
  readonly keyspace: string;
  /** Id of the statement that was prepared. */
  readonly prepared: string;
}

const NOTHING: CqlResult = { rows: -1, keyspace: '', prepared: '' };

export function readResult(reader: BodyReader): CqlResult {
  switch (reader.int()) {
    case RESULT.rows:
      return { ...NOTHING, rows: readRowCount(reader) };
    case RESULT.keyspace:
      return { ...NOTHING, keyspace: reader.text() };
    case RESULT.prepared:
      return { ...NOTHING, prepared: reader.id() };
    default:
      return NOTHING;
  }
}

function readRowCount(reader: BodyReader): number {
  const flags = reader.int();
  const columns = reader.int();
  if ((flags & METADATA.morePages) !== 0) reader.value();
  if ((flags & METADATA.changed) !== 0) reader.id();
  if ((flags & METADATA.none) === 0) {
    const global = (flags & METADATA.globalTable) !== 0;
    if (global) {
      reader.text();
      reader.text();
    }
    if (columns > MAX_COLUMNS) return -1;
    for (let i = 0; i < columns && !reader.cut; i++) {
      if (!global) {
        reader.text();
        reader.text();
      }
      reader.text();
      skipType(reader, 0);
    }
  }
  const count = reader.int();
  return reader.cut || count < 0 ? -1 : count;
}

/** [option]: a number and what belongs to it. */
function skipType(reader: BodyReader, depth: number): void {
  if (depth > MAX_TYPE_DEPTH || reader.cut) {
    reader.cut = true;
    return;
  }
  switch (reader.short()) {
    case 0x00: // custom
      reader.text();
      break;
    case 0x20: // list
    case 0x22: // set
      skipType(reader, depth + 1);
      break;
    case 0x21: // map
      skipType(reader, depth + 1);
      skipType(reader, depth + 1);
      break;
    case 0x30: // user-defined
      reader.text();
      reader.text();
      for (let fields = reader.short(); fields > 0 && !reader.cut; fields--) {
        reader.text();
        skipType(reader, depth + 1);
      }
      break;
    case 0x31: // tuple
      for (let fields = reader.short(); fields > 0 && !reader.cut; fields--) skipType(reader, depth + 1);
      break;
    default:
  }
}
