/** Accesses to whole messages inside an item (status, events, exemplars, data points), which are no attribute values. */
import type { MessageNode } from '../../otlp/message-node.js';
import type { Access, OttlContext } from '../context.js';
import { expectGo, OttlError, OttlPart } from '../values.js';

/** Where the messages lie. */
export interface Place {
  readonly node: MessageNode;
  readonly tag: number;
  /** Go's name of the type. */
  readonly goType: string;
}

/** A single message; a place that has none reads as nil. `refuse` says why such a place can't be set. */
export const onePart = (
  placeOf: (context: OttlContext) => Place | undefined,
  goType: string,
  refuse: (context: OttlContext) => string,
): Access => ({
  get: (context) => {
    const place = placeOf(context);
    return place === undefined ? null : new OttlPart(goType, [place.node.child(place.tag).encode()]);
  },
  set: (context, value) => {
    const [bytes] = expectGo<OttlPart>(value, goType).items;
    const place = placeOf(context);
    if (place === undefined) throw new OttlError(refuse(context));
    place.node.setContent(place.tag, bytes!);
  },
});

/** A list of messages; nil empties it. */
export const partList = (
  placeOf: (context: OttlContext) => Place | undefined,
  refuse: (context: OttlContext) => string | undefined,
): Access => ({
  get: (context) => {
    const place = placeOf(context);
    if (place === undefined) return null;
    const { node, tag, goType } = place;
    return new OttlPart(goType, node.has(tag) ? node.children(tag).map((child) => child.encode()) : []);
  },
  set: (context, value) => {
    const place = placeOf(context);
    if (place === undefined) {
      const why = refuse(context);
      if (why !== undefined) throw new OttlError(why);
      return;
    }
    const { node, tag, goType } = place;
    const items = value === null ? [] : expectGo<OttlPart>(value, goType).items;
    node.remove(tag);
    for (const bytes of items) {
      node.append(tag, (writer) => {
        writer.varint(tag);
        writer.delimited(bytes);
      });
    }
  },
});
