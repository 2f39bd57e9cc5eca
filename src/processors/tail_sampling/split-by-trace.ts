import { GroupWriter, walkItems } from '../../otlp/groups.js';
import { MessageNode } from '../../otlp/message-node.js';
import { field } from '../../otlp/wire-reader.js';

const TRACE_ID = field.delimited(1);
const PARENT_SPAN_ID = field.delimited(4);

export interface TracePiece {
  readonly traceId: Uint8Array;
  /** The spans of one trace in a batch, as a batch. */
  readonly bytes: Uint8Array;
  readonly spanCount: number;
  /** One of the spans has no parent. */
  readonly hasRoot: boolean;
}

/** The pieces of a batch by trace id (latin1). Spans are copied as they are. Throws `MalformedError`. */
export function splitByTrace(bytes: Uint8Array): Map<string, TracePiece> {
  const building = new Map<
    string,
    { traceId: Uint8Array; writer: GroupWriter; spanCount: number; hasRoot: boolean }
  >();
  walkItems(bytes, (item, scope) => {
    const span = new MessageNode(bytes, item.start, item.end);
    const traceId = span.content(TRACE_ID);
    const key = Buffer.from(traceId).toString('latin1');
    let piece = building.get(key);
    if (piece === undefined) {
      piece = { traceId, writer: new GroupWriter(512), spanCount: 0, hasRoot: false };
      building.set(key, piece);
    }
    piece.writer.add(scope, item.fieldStart, item.end);
    piece.spanCount++;
    piece.hasRoot ||= span.content(PARENT_SPAN_ID).every((byte) => byte === 0);
  });
  const pieces = new Map<string, TracePiece>();
  for (const [key, { traceId, writer, spanCount, hasRoot }] of building) {
    pieces.set(key, { traceId, bytes: writer.finish(), spanCount, hasRoot });
  }
  return pieces;
}
