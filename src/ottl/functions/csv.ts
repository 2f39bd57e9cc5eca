/** `ParseCSV`. Source: pkg/ottl/ottlfuncs/README.md; quoting as in Go's encoding/csv (RFC 4180). */
import type { TypedValue } from '../../otlp/typed-value.js';
import { OttlError } from '../values.js';
import type { ConverterDef } from './function.js';

const MODES = ['strict', 'lazyQuotes', 'ignoreQuotes'];

export const CSV_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  ParseCSV: {
    parameters: ['target', 'header', 'delimiter?', 'headerDelimiter?', 'mode?'],
    build: (args) => {
      const target = args.text(0);
      const header = args.text(1);
      const given = args.literalText(2, ',');
      if (Array.from(given).length !== 1) {
        throw new Error('invalid arguments: delimiter must be a single character');
      }
      const headerDelimiter = args.literalText(3, given);
      if (headerDelimiter === '') {
        throw new Error('invalid arguments: header_delimiter must be a single character');
      }
      const mode = args.literalText(4, 'strict');
      if (!MODES.includes(mode)) throw new Error(`unknown mode: ${mode}`);
      return (context) => {
        const row = target(context);
        const names = header(context);
        if (names === '') throw new OttlError('headers must not be an empty string');
        const headers = names.split(headerDelimiter);
        const fields =
          mode === 'ignoreQuotes' ? row.split(given) : readRow(row, given, mode === 'lazyQuotes');
        if (fields.length !== headers.length) {
          throw new OttlError(
            `map csv headers: wrong number of fields: expected ${headers.length}, found ${fields.length}`,
          );
        }
        return new Map<string, TypedValue>(headers.map((name, index) => [name, fields[index]!]));
      };
    },
  },
};

/** The fields of one row. A quoted field may span lines; `lazy` allows quotes where they make no sense. */
function readRow(row: string, delimiter: string, lazy: boolean): string[] {
  if (row.trim() === '') throw new OttlError('no csv lines found');
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    let field = '';
    if (row[at] === '"') {
      for (at++; ; ) {
        const quote = row.indexOf('"', at);
        if (quote < 0) {
          if (!lazy)
            throw new OttlError(
              `read csv line: parse error on line 1, column ${row.length + 1}: extraneous or missing " in quoted-field`,
            );
          field += row.slice(at);
          at = row.length;
          break;
        }
        field += row.slice(at, quote);
        at = quote + 1;
        if (row[at] === '"') {
          field += '"';
          at++;
        } else if (at >= row.length || row.startsWith(delimiter, at) || row[at] === '\n') break;
        else if (lazy) field += '"';
        else
          throw new OttlError(
            `read csv line: parse error on line 1, column ${at}: extraneous or missing " in quoted-field`,
          );
      }
    } else {
      const end = ends(row, delimiter, at);
      field = row.slice(at, end);
      const quote = field.indexOf('"');
      if (quote >= 0 && !lazy) {
        throw new OttlError(
          `read csv line: parse error on line 1, column ${at + quote + 1}: bare " in non-quoted-field`,
        );
      }
      at = end;
    }
    fields.push(field);
    if (!row.startsWith(delimiter, at)) return fields;
    at += delimiter.length;
  }
}

function ends(row: string, delimiter: string, from: number): number {
  const at = row.indexOf(delimiter, from);
  return at < 0 ? row.length : at;
}
