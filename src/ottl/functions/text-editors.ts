/** Editors that change texts. Source: pkg/ottl/ottlfuncs/README.md. */
import type { GoRegExp } from '../../go/regexp.js';
import type { TypedValue } from '../../otlp/typed-value.js';
import type { Access, Getter, OttlContext } from '../context.js';
import { expectMap, OttlError } from '../values.js';
import type { Arguments } from './arguments.js';
import type { EditorDef } from './function.js';

/** Replaces what the pattern matches in a text; undefined when it matches nothing. */
type Replace = (text: string, context: OttlContext) => string | undefined;

/** The arguments `regex, replacement, function?, replacementFormat?`, beginning at `first`. */
function patternReplacement(args: Arguments, first: number): Replace {
  const pattern = args.pattern(first);
  const template = args.text(first + 1);
  const convert = args.converter(first + 2);
  const format = replacementFormat(args, first + 3);
  return (text, context) => {
    const regexp = pattern(context);
    if (!regexp.test(text)) return undefined;
    const wanted = template(context);
    return regexp.replaceAll(text, (groups) =>
      replacementOf(regexp, wanted, groups, convert, format, context),
    );
  };
}

function replacementOf(
  regexp: GoRegExp,
  template: string,
  groups: readonly string[],
  convert: ((input: Getter) => Getter) | undefined,
  format: (text: string, context: OttlContext) => string,
  context: OttlContext,
): string {
  const expanded = regexp.expand(template, groups);
  if (convert === undefined) return expanded;
  const converted = convert(() => expanded)(context);
  if (typeof converted !== 'string') throw new OttlError('the replacement value must be a string');
  return format(converted, context);
}

function replacementFormat(
  args: Arguments,
  position: number,
): (text: string, context: OttlContext) => string {
  if (!args.has(position)) return (text) => text;
  const format = args.text(position);
  return (text, context) => {
    const template = format(context);
    if (template.split('%s').length !== 2) {
      throw new OttlError(
        'replacementFormat must be format string containing a single %s and no other format specifiers',
      );
    }
    return template.replace('%s', () => text);
  };
}

/** The arguments `pattern, replacement, function?, replacementFormat?` with a glob pattern. */
function globReplacement(args: Arguments, first: number): Replace {
  const matches = args.glob(first);
  const replacement = args.text(first + 1);
  const convert = args.converter(first + 2);
  const format = replacementFormat(args, first + 3);
  return (text, context) => {
    if (!matches(text)) return undefined;
    if (convert === undefined) return replacement(context);
    const converted = convert(replacement)(context);
    if (typeof converted !== 'string') throw new OttlError('replacement value is not a string');
    return format(converted, context);
  };
}

function replaceText(target: Access, replace: Replace, context: OttlContext): void {
  const value = target.get(context);
  const replaced = typeof value === 'string' ? replace(value, context) : undefined;
  if (replaced !== undefined) target.set(context, replaced);
}

function replaceTexts(target: Access, replace: Replace, context: OttlContext): void {
  const map = expectMap(target.get(context));
  let changed = false;
  for (const [key, value] of map) {
    const replaced = typeof value === 'string' ? replace(value, context) : undefined;
    if (replaced === undefined) continue;
    map.set(key, replaced);
    changed = true;
  }
  if (changed) target.set(context, map);
}

function replaceKeys(target: Access, replace: Replace, context: OttlContext): void {
  const map = expectMap(target.get(context));
  let changed = false;
  const renamed = new Map<string, TypedValue>();
  for (const [key, value] of map) {
    const replaced = replace(key, context);
    if (replaced !== undefined) changed = true;
    renamed.set(replaced ?? key, value);
  }
  if (changed) target.set(context, renamed);
}

export const TEXT_EDITORS: Readonly<Record<string, EditorDef>> = {
  replace_pattern: {
    parameters: ['target', 'regex', 'replacement', 'function?', 'replacementFormat?'],
    build: (args) => {
      const target = args.path(0);
      const replace = patternReplacement(args, 1);
      return (context) => replaceText(target, replace, context);
    },
  },
  replace_all_patterns: {
    parameters: ['target', 'mode', 'regex', 'replacement', 'function?', 'replacementFormat?'],
    build: (args) => {
      const target = args.path(0);
      const mode = args.literalText(1);
      const replace = patternReplacement(args, 2);
      if (mode !== 'key' && mode !== 'value') {
        throw new Error(`invalid mode ${mode}, must be either 'key' or 'value'`);
      }
      return mode === 'key'
        ? (context) => replaceKeys(target, replace, context)
        : (context) => replaceTexts(target, replace, context);
    },
  },
  replace_match: {
    parameters: ['target', 'pattern', 'replacement', 'function?', 'replacementFormat?'],
    build: (args) => {
      const target = args.path(0);
      const replace = globReplacement(args, 1);
      return (context) => replaceText(target, replace, context);
    },
  },
  replace_all_matches: {
    parameters: ['target', 'pattern', 'replacement', 'function?', 'replacementFormat?'],
    build: (args) => {
      const target = args.path(0);
      const replace = globReplacement(args, 1);
      return (context) => replaceTexts(target, replace, context);
    },
  },
  truncate_all: {
    parameters: ['target', 'limit', 'utf8_safe?', 'truncation_marker?'],
    build: (args) => {
      const target = args.path(0);
      const limit = args.literalInt(1);
      const utf8Safe = args.literalBool(2, true);
      const marker = args.literalText(3, '');
      const most = Number(limit);
      if (Buffer.byteLength(marker) > most) {
        throw new Error(
          `invalid truncation marker for truncate_all function, length of marker ${Buffer.byteLength(marker)} cannot be greater than limit ${limit}`,
        );
      }
      return (context) => replaceTexts(target, (text) => truncate(text, most, utf8Safe, marker), context);
    },
  },
};

/** At most `limit` bytes of UTF-8, marker included; undefined when nothing is cut. */
function truncate(text: string, limit: number, utf8Safe: boolean, marker: string): string | undefined {
  // A character has at most three bytes for each of its units.
  if (text.length * 3 <= limit) return undefined;
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return undefined;
  let end = limit - Buffer.byteLength(marker);
  if (utf8Safe) while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end) + marker;
}
