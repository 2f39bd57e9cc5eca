/** Editors that change whole values and maps. Source: pkg/ottl/ottlfuncs/README.md. */
import { asString } from '../../go/values.js';
import { deleteAttribute, getAttributes, retainAttributes } from '../../otlp/attribute-edit.js';
import type { TypedValue } from '../../otlp/typed-value.js';
import type { Access, OttlContext } from '../context.js';
import { expectMap, OttlError, toTyped } from '../values.js';
import { flatten } from './flatten.js';
import type { EditorDef } from './function.js';

/** Removes the keys that `keep` refuses; attributes are thinned out without decoding their values. */
function retainKeys(target: Access, context: OttlContext, keep: (key: string) => boolean): void {
  if (target.attributes !== undefined) {
    const { node, tag } = target.attributes;
    const message = node(context);
    for (const key of getAttributes(message, tag(context)).keys()) {
      if (keep(key)) continue;
      retainAttributes(node(context, true), tag(context), keep);
      return;
    }
    return;
  }
  const map = expectMap(target.get(context));
  const kept = new Map([...map].filter(([key]) => keep(key)));
  if (kept.size !== map.size) target.set(context, kept);
}

const EDITORS_OF_KEYS: Readonly<Record<string, EditorDef>> = {
  delete_key: {
    parameters: ['target', 'key'],
    build: (args) => {
      const target = args.path(0);
      const key = args.text(1);
      return (context) => {
        const name = key(context);
        if (target.attributes === undefined) retainKeys(target, context, (one) => one !== name);
        else deleteAttribute(target.attributes.node(context, true), target.attributes.tag(context), name);
      };
    },
  },
  delete_matching_keys: {
    parameters: ['target', 'pattern'],
    build: (args) => {
      const target = args.path(0);
      const pattern = args.pattern(1);
      return (context) => {
        const keys = pattern(context);
        retainKeys(target, context, (key) => !keys.test(key));
      };
    },
  },
  keep_keys: {
    parameters: ['target', 'keys'],
    build: (args) => {
      const target = args.path(0);
      const keys = args.textList(1);
      return (context) => {
        const names = new Set(keys.map((key) => key(context)));
        retainKeys(target, context, (key) => names.has(key));
      };
    },
  },
  keep_matching_keys: {
    parameters: ['target', 'pattern'],
    build: (args) => {
      const target = args.path(0);
      const pattern = args.pattern(1);
      return (context) => {
        const keys = pattern(context);
        retainKeys(target, context, (key) => keys.test(key));
      };
    },
  },
  limit: {
    parameters: ['target', 'limit', 'priority_keys'],
    build: (args) => {
      const target = args.path(0);
      const limit = args.literalInt(1);
      const priority = args.literalTexts(2);
      if (limit < priority.length) {
        throw new Error(
          `invalid limit for limit function, ${limit} cannot be less than number of priority attributes ${priority.length}`,
        );
      }
      const most = Number(limit);
      return (context) => {
        const map = expectMap(target.get(context));
        if (map.size <= most) return;
        const kept = new Set(priority.filter((key) => map.has(key)));
        for (const key of map.keys()) if (kept.size < most) kept.add(key);
        retainKeys(target, context, (key) => kept.has(key));
      };
    },
  },
};

export const EDITORS: Readonly<Record<string, EditorDef>> = {
  ...EDITORS_OF_KEYS,
  stringify_all: {
    parameters: ['target'],
    build: (args) => {
      const target = args.path(0);
      return (context) => {
        const map = expectMap(target.get(context));
        const texts = [...map].map(([key, value]) => [key, asString(value)] as const);
        if (texts.some(([key, text]) => map.get(key) !== text))
          target.set(context, new Map<string, TypedValue>(texts));
      };
    },
  },
  set: {
    parameters: ['target', 'value'],
    build: (args) => {
      const target = args.path(0);
      const value = args.value(1);
      return (context) => {
        const found = value(context);
        // Nothing is set to nil.
        if (found !== null) target.set(context, found);
      };
    },
  },
  merge_maps: {
    parameters: ['target', 'source', 'strategy?'],
    build: (args) => {
      const target = args.path(0);
      const source = args.map(1);
      const strategy = args.literalText(2, 'upsert');
      if (!['insert', 'update', 'upsert'].includes(strategy)) {
        throw new Error(`invalid value for strategy, ${strategy}, must be 'insert', 'update' or 'upsert'`);
      }
      return (context) => {
        const map = expectMap(target.get(context));
        const before = map.size;
        let changed = false;
        for (const [key, value] of source(context)) {
          if (strategy !== 'upsert' && map.has(key) === (strategy === 'insert')) continue;
          map.set(key, value);
          changed = true;
        }
        if (changed || map.size !== before) target.set(context, map);
      };
    },
  },
  flatten: {
    parameters: ['target', 'prefix?', 'depth?', 'resolveConflicts?'],
    build: (args) => {
      const target = args.path(0);
      const prefix = args.literalText(1, '');
      const depth = args.literalInt(2, 2n ** 31n);
      if (depth < 1n) {
        throw new Error(`invalid depth '${depth}' for flatten function, must be greater than 0`);
      }
      const resolveConflicts = args.literalBool(3, false);
      return (context) => {
        const map = expectMap(target.get(context));
        target.set(context, flatten(map, { prefix, depth: Number(depth), resolveConflicts }));
      };
    },
  },
  append: {
    parameters: ['target', 'value?', 'values?'],
    build: (args) => {
      const target = args.path(0);
      if (!args.has(1) && !args.has(2)) {
        throw new Error("at least one of the optional arguments ('value' or 'values') must be provided");
      }
      const values = [...(args.has(1) ? [args.value(1)] : []), ...(args.has(2) ? args.list(2) : [])];
      return (context) => {
        const before = toTyped(target.get(context));
        const list: TypedValue[] = Array.isArray(before) ? before : before === null ? [] : [before];
        target.set(context, [...list, ...values.map((value) => toTyped(value(context)))]);
      };
    },
  },
  delete_index: {
    parameters: ['target', 'startIndex', 'endIndex?'],
    build: (args) => {
      const target = args.path(0);
      const from = args.int(1);
      const to = args.has(2) ? args.int(2) : undefined;
      return (context) => {
        const list = target.get(context);
        if (!Array.isArray(list)) throw new OttlError('target must be a slice type');
        const start = from(context);
        const end = to?.(context) ?? start + 1n;
        if (start < 0n || end < start || end > list.length) {
          throw new OttlError(`deletion range [${start}:${end}] out of bounds for a list of ${list.length}`);
        }
        target.set(context, [...list.slice(0, Number(start)), ...list.slice(Number(end))]);
      };
    },
  },
};
