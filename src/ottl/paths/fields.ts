/** Accesses to single fields of a message: what the paths of all contexts are made of. */
import { getAttribute, getAttributes, replaceAttributes, setAttribute } from '../../otlp/attribute-edit.js';
import { fromHex, toHex } from '../../otlp/ids.js';
import type { MessageNode } from '../../otlp/message-node.js';
import type { Access, Getter, OttlContext } from '../context.js';
import { mapKey, valueAt, withValueAt } from '../keys.js';
import { expectGo, OttlError, OttlId, OttlTime, typeName } from '../values.js';

/** The message that a path is about. `edit` says that it is going to be changed; else it may be a mere view. */
export type NodeOf = (context: OttlContext, edit?: true) => MessageNode;

export const text = (node: NodeOf, tag: number): Access => ({
  get: (context) => node(context).text(tag),
  set: (context, value) => {
    node(context, true).setText(tag, expectGo<string>(value, 'string'));
  },
});

/** An unsigned 32-bit integer or an enum. */
export const uint32 = (node: NodeOf, tag: number): Access => ({
  get: (context) => BigInt(node(context).uint32(tag)),
  set: (context, value) =>
    node(context, true).setInteger(tag, BigInt.asUintN(32, expectGo<bigint>(value, 'int64'))),
});

/** An enum: a negative number is possible. */
export const enumeration = (node: NodeOf, tag: number): Access => ({
  get: (context) => BigInt(node(context).uint32(tag) | 0),
  set: (context, value) =>
    node(context, true).setInteger(tag, BigInt.asIntN(32, expectGo<bigint>(value, 'int64'))),
});

/** Nanoseconds since the epoch, or any other 64 bits, as an int. */
export const int64 = (node: NodeOf, tag: number): Access => ({
  get: (context) => BigInt.asIntN(64, node(context).uint64(tag)),
  set: (context, value) => node(context, true).setInteger(tag, expectGo<bigint>(value, 'int64')),
});

export const time = (node: NodeOf, tag: number): Access => ({
  get: (context) => new OttlTime(node(context).uint64(tag)),
  set: (context, value) => {
    node(context, true).setInteger(tag, expectGo<OttlTime>(value, 'time.Time').ns);
  },
});

/** An id; zeros where there is none. */
export const id = (node: NodeOf, tag: number, size: number): Access => {
  const kind = size === 16 ? 'TraceID' : 'SpanID';
  return {
    get: (context) => {
      const content = node(context).content(tag);
      return OttlId.named(kind, content.length === size ? content : new Uint8Array(size));
    },
    set: (context, value) => {
      node(context, true).setContent(tag, expectGo<OttlId>(value, `pcommon.${kind}`));
    },
  };
};

/** The same as text. */
export const idText = (node: NodeOf, tag: number, size: number): Access => {
  const bytes = id(node, tag, size);
  return {
    get: (context) => toHex(bytes.get(context) as Uint8Array),
    set: (context, value) => {
      const text = expectGo<string>(value, 'string');
      const name = size === 16 ? 'trace' : 'span';
      if (text.length !== size * 2) throw new OttlError(`${name} ids must be ${size * 2} hex characters`);
      const parsed = fromHex(text);
      if (parsed === undefined) throw new OttlError(hexError(text));
      bytes.set(context, OttlId.named(size === 16 ? 'TraceID' : 'SpanID', parsed));
    },
  };
};

/** Go's sentence for the first character that is no hexadecimal digit. */
function hexError(text: string): string {
  const bad = Array.from(text).find((char) => !/[0-9a-fA-F]/.test(char)) ?? '';
  const code = bad.codePointAt(0) ?? 0;
  return `encoding/hex: invalid byte: U+${code.toString(16).toUpperCase().padStart(4, '0')} '${bad}'`;
}

/** All attributes of a message, as a map. */
export function attributeMap(node: NodeOf, tag: (context: OttlContext) => number): Access {
  return {
    get: (context) => getAttributes(node(context), tag(context)),
    set: (context, value) => {
      if (value !== null && !(value instanceof Map)) {
        throw new OttlError(`unsupported type provided for setting a pcommon.Map: ${typeName(value)}`);
      }
      replaceAttributes(node(context, true), tag(context), value ?? new Map());
    },
    attributes: { node, tag },
  };
}

/** One attribute, or a value in it. */
export function attribute(
  node: NodeOf,
  tag: (context: OttlContext) => number,
  [first, ...rest]: readonly Getter[],
): Access {
  const key = first!;
  const get: Getter = (context) => {
    const value = getAttribute(node(context), tag(context), mapKey(key, context));
    return value === undefined ? null : rest.length === 0 ? value : valueAt(value, rest, context);
  };
  return {
    get,
    set: (context, value) => {
      const name = mapKey(key, context);
      const message = node(context, true);
      const before = getAttribute(message, tag(context), name) ?? null;
      setAttribute(message, tag(context), name, withValueAt(before, rest, context, value));
    },
  };
}

/** `get` and no `set`. */
export const readOnly = (name: string, get: Getter): Access => ({
  get,
  set: () => {
    throw new OttlError(`${name} cannot be set`);
  },
});

/** The temporary values of a context. */
export function cacheAccess(keys: readonly Getter[]): Access {
  const cacheOf = (context: OttlContext) => {
    context.cache ??= new Map();
    return context.cache;
  };
  if (keys.length === 0) {
    return {
      get: (context) => new Map(cacheOf(context)),
      set: (context, value) => {
        if (value !== null && !(value instanceof Map)) {
          throw new OttlError(`unsupported type provided for setting a pcommon.Map: ${typeName(value)}`);
        }
        context.cache = new Map(value);
      },
    };
  }
  return {
    get: (context) => valueAt(cacheOf(context), keys, context),
    set: (context, value) => {
      withValueAt(cacheOf(context), keys, context, value);
    },
  };
}

/** A bool in a varint field. */
export const bool = (node: NodeOf, tag: number): Access => ({
  get: (context) => node(context).uint32(tag) !== 0,
  set: (context, value) => {
    node(context, true).setInteger(tag, expectGo<boolean>(value, 'bool') ? 1n : 0n);
  },
});
