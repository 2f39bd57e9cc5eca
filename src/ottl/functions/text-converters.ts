/** Converters of texts. Source: pkg/ottl/ottlfuncs/README.md. */
import { sprintf } from '../../go/sprintf.js';
import { OttlDuration, OttlError, OttlTime, textLike, toTyped } from '../values.js';
import type { ConverterDef } from './function.js';
import { toCamelCase, toSnakeCase } from './letter-case.js';

const unary = (convert: (text: string) => string | bigint | boolean): ConverterDef => ({
  parameters: ['target'],
  build: (args) => {
    const text = args.text(0);
    return (context) => convert(text(context));
  },
});

const CASES: Readonly<Record<string, (text: string) => string>> = {
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
  snake: toSnakeCase,
  camel: toCamelCase,
};

export const TEXT_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  Format: {
    parameters: ['formatString', 'formatArgs'],
    build: (args) => {
      const format = args.literalText(0);
      const values = args.list(1);
      return (context) =>
        sprintf(
          format,
          values.map((value) => {
            const found = value(context);
            return found instanceof OttlTime || found instanceof OttlDuration
              ? (textLike(found) ?? null)
              : toTyped(found);
          }),
        );
    },
  },
  Concat: {
    parameters: ['vals', 'delimiter'],
    build: (args) => {
      const values = args.texts(0);
      const delimiter = args.text(1);
      return (context) => values.map((value) => value(context) ?? '<nil>').join(delimiter(context));
    },
  },
  Split: {
    parameters: ['target', 'delimiter'],
    build: (args) => {
      const text = args.text(0);
      const delimiter = args.text(1);
      return (context) => {
        const separator = delimiter(context);
        return separator === '' ? Array.from(text(context)) : text(context).split(separator);
      };
    },
  },
  Substring: {
    parameters: ['target', 'start', 'length', 'utf8_safe?'],
    build: (args) => {
      const text = args.text(0);
      const from = args.int(1);
      const count = args.int(2);
      const utf8Safe = args.literalBool(3, false);
      return (context) => substring(text(context), from(context), count(context), utf8Safe);
    },
  },
  ConvertCase: {
    parameters: ['target', 'toCase'],
    build: (args) => {
      const text = args.text(0);
      const wanted = args.literalText(1);
      const convert = Object.hasOwn(CASES, wanted) ? CASES[wanted] : undefined;
      if (convert === undefined) {
        throw new Error(`invalid case: ${wanted}, allowed cases are: lower, upper, snake, camel`);
      }
      return (context) => convert(text(context));
    },
  },
  ToLowerCase: unary((text) => text.toLowerCase()),
  ToUpperCase: unary((text) => text.toUpperCase()),
  ToSnakeCase: unary(toSnakeCase),
  ToCamelCase: unary(toCamelCase),
  Trim: {
    parameters: ['target', 'replacement?'],
    build: (args) => {
      const text = args.text(0);
      const cutset = new Set(args.literalText(1, ' '));
      return (context) => {
        const chars = Array.from(text(context));
        let start = 0;
        let end = chars.length;
        while (start < end && cutset.has(chars[start]!)) start++;
        while (end > start && cutset.has(chars[end - 1]!)) end--;
        return chars.slice(start, end).join('');
      };
    },
  },
  TrimPrefix: {
    parameters: ['target', 'prefix'],
    build: (args) => {
      const text = args.text(0);
      const prefix = args.text(1);
      return (context) => {
        const [whole, part] = [text(context), prefix(context)];
        return whole.startsWith(part) ? whole.slice(part.length) : whole;
      };
    },
  },
  TrimSuffix: {
    parameters: ['target', 'suffix'],
    build: (args) => {
      const text = args.text(0);
      const suffix = args.text(1);
      return (context) => {
        const [whole, part] = [text(context), suffix(context)];
        return part !== '' && whole.endsWith(part) ? whole.slice(0, -part.length) : whole;
      };
    },
  },
  HasPrefix: {
    parameters: ['target', 'prefix'],
    build: (args) => {
      const text = args.text(0);
      const prefix = args.text(1);
      return (context) => text(context).startsWith(prefix(context));
    },
  },
  HasSuffix: {
    parameters: ['target', 'suffix'],
    build: (args) => {
      const text = args.text(0);
      const suffix = args.text(1);
      return (context) => text(context).endsWith(suffix(context));
    },
  },
};

/** Positions count bytes of UTF-8, as in Go. */
function substring(text: string, from: bigint, count: bigint, utf8Safe: boolean): string {
  if (from < 0n) throw new OttlError(`invalid start for substring function, ${from} cannot be negative`);
  if (count <= 0n) {
    throw new OttlError(`invalid length for substring function, ${count} cannot be negative or zero`);
  }
  const bytes = Buffer.from(text);
  if (from + count > bytes.length) {
    throw new OttlError(
      `invalid range for substring function, start(${from})+length(${count}) cannot be greater than the length of target string(${bytes.length})`,
    );
  }
  let start = Number(from);
  let end = start + Number(count);
  const inside = (at: number) => at < bytes.length && (bytes[at]! & 0xc0) === 0x80;
  if (utf8Safe) {
    while (inside(start)) start++;
    while (end > start && inside(end)) end--;
  }
  return bytes.toString('utf8', start, Math.max(start, end));
}
