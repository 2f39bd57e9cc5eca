/**
 * Cuts SQL into tokens, as much of it as sanitising and summarising need: where literals, names and comments are. Rules
 * of quoting: PostgreSQL 17 documentation section 4.1, MySQL 8.4 reference manual section 11.1, MariaDB the same.
 *
 * The text may be cut anywhere (capture): what is open at its end is taken as if it were closed there.
 */
export type SqlDialect = 'postgresql' | 'mysql';

export const TOKEN = {
  /** Keyword or name without quotes. */
  word: 1,
  /** Name in quotes, with them. */
  quotedName: 2,
  /** Text, number, with its prefix. */
  literal: 3,
  /** `?`, `$1`, `:name`, `@variable`, `%s` */
  parameter: 4,
  /** One character of anything else. */
  symbol: 5,
  comment: 6,
} as const;
export type TokenKind = (typeof TOKEN)[keyof typeof TOKEN];

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
}

/** Statements of hundreds of kilobytes (bulk inserts) say what they are at their beginning. */
const MAX_TOKENS = 4096;

export function tokenise(text: string, dialect: SqlDialect): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length && tokens.length < MAX_TOKENS) {
    const code = text.charCodeAt(at);
    if (isSpace(code)) {
      at++;
      continue;
    }
    const token = readToken(text, at, code, dialect);
    // An executable comment of MySQL: only its marks are comments.
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function readToken(text: string, start: number, code: number, dialect: SqlDialect): Token {
  const mysql = dialect === 'mysql';
  if (isWordStart(code)) return readWord(text, start, mysql);
  if (isDigit(code)) return { kind: TOKEN.literal, start, end: numberEnd(text, start) };
  const next = text.charCodeAt(start + 1);
  switch (code) {
    case QUOTE:
      return { kind: TOKEN.literal, start, end: quotedEnd(text, start, QUOTE, mysql) };
    case DOUBLE_QUOTE:
      // MySQL's strings unless ANSI_QUOTES is set, which the wire does not tell: a name lost is better than a value shown.
      return {
        kind: mysql ? TOKEN.literal : TOKEN.quotedName,
        start,
        end: quotedEnd(text, start, DOUBLE_QUOTE, mysql),
      };
    case BACKTICK:
      return { kind: TOKEN.quotedName, start, end: quotedEnd(text, start, BACKTICK, false) };
    case DASH:
      if (next === DASH) return { kind: TOKEN.comment, start, end: lineEnd(text, start) };
      break;
    case HASH:
      if (mysql) return { kind: TOKEN.comment, start, end: lineEnd(text, start) };
      break;
    case SLASH:
      if (next === STAR) return { kind: TOKEN.comment, start, end: commentEnd(text, start, mysql) };
      break;
    case STAR:
      if (mysql && next === SLASH) return { kind: TOKEN.comment, start, end: start + 2 };
      break;
    case DOT:
      if (isDigit(next)) return { kind: TOKEN.literal, start, end: numberEnd(text, start) };
      break;
    case DOLLAR:
      if (isDigit(next)) return { kind: TOKEN.parameter, start, end: wordEnd(text, start + 1) };
      if (!mysql) {
        const end = dollarQuotedEnd(text, start);
        if (end > start) return { kind: TOKEN.literal, start, end };
      }
      break;
    case QUESTION:
      return { kind: TOKEN.parameter, start, end: start + 1 };
    case COLON:
      if (next === COLON) return { kind: TOKEN.symbol, start, end: start + 2 };
      if (isWordStart(next)) return { kind: TOKEN.parameter, start, end: wordEnd(text, start + 1) };
      break;
    case AT:
      if (isWordStart(next) || next === AT) {
        return { kind: TOKEN.parameter, start, end: wordEnd(text, start + (next === AT ? 2 : 1)) };
      }
      break;
    default:
  }
  return { kind: TOKEN.symbol, start, end: start + 1 };
}

/** A word, or a literal that begins with one: `E'…'`, `N'…'`, `X'…'`, `U&'…'`, `_utf8mb4'…'`. */
function readWord(text: string, start: number, mysql: boolean): Token {
  let end = wordEnd(text, start);
  const after = text.charCodeAt(end);
  const first = text.charCodeAt(start) | 0x20;
  if (after === QUOTE && (end - start === 1 || (mysql && text[start] === '_'))) {
    const escapes = mysql || first === LETTER_E;
    return { kind: TOKEN.literal, start, end: quotedEnd(text, end, QUOTE, escapes) };
  }
  if (!mysql && end - start === 1 && first === LETTER_U && text[end] === '&') {
    if (text.charCodeAt(end + 1) === QUOTE) {
      return { kind: TOKEN.literal, start, end: quotedEnd(text, end + 1, QUOTE, false) };
    }
    if (text.charCodeAt(end + 1) === DOUBLE_QUOTE) {
      end = quotedEnd(text, end + 1, DOUBLE_QUOTE, false);
      return { kind: TOKEN.quotedName, start, end };
    }
  }
  return { kind: TOKEN.word, start, end };
}

/** Position after the closing quote; a doubled quote stands for itself. */
function quotedEnd(text: string, start: number, quote: number, escapes: boolean): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH && escapes) at++;
    else if (code === quote) {
      if (text.charCodeAt(at + 1) !== quote) return at + 1;
      at++;
    }
  }
  return text.length;
}

function dollarQuotedEnd(text: string, start: number): number {
  const tagEnd = text.charCodeAt(start + 1) === DOLLAR ? start + 1 : wordEnd(text, start + 1, false);
  if (text.charCodeAt(tagEnd) !== DOLLAR) return start;
  const tag = text.slice(start, tagEnd + 1);
  const close = text.indexOf(tag, tagEnd + 1);
  return close < 0 ? text.length : close + tag.length;
}

/** `12`, `1.5e-3`, `0xff`, `1_000` */
function numberEnd(text: string, start: number): number {
  let at = start;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isDigit(code) || code === DOT || isWordStart(code)) continue;
    const before = text.charCodeAt(at - 1) | 0x20;
    if ((code === DASH || code === PLUS) && before === LETTER_E && !isHex(text, start)) continue;
    break;
  }
  return at;
}

const isHex = (text: string, start: number): boolean => (text.charCodeAt(start + 1) | 0x20) === LETTER_X;

function lineEnd(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end < 0 ? text.length : end;
}

/** PostgreSQL's comments nest; of MySQL's executable ones (`/*!50110 … `) only the opening mark is a comment. */
function commentEnd(text: string, start: number, mysql: boolean): number {
  if (mysql) {
    const mark = text.charCodeAt(start + 2);
    if (mark === BANG || ((mark | 0x20) === LETTER_M && text.charCodeAt(start + 3) === BANG)) {
      let at = start + (mark === BANG ? 3 : 4);
      while (isDigit(text.charCodeAt(at))) at++;
      return at;
    }
    const end = text.indexOf('*/', start + 2);
    return end < 0 ? text.length : end + 2;
  }
  let depth = 1;
  for (let at = start + 2; at < text.length; at++) {
    if (text.charCodeAt(at) === STAR && text.charCodeAt(at + 1) === SLASH) {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    } else if (text.charCodeAt(at) === SLASH && text.charCodeAt(at + 1) === STAR) {
      depth++;
      at++;
    }
  }
  return text.length;
}

function wordEnd(text: string, start: number, dollar = true): number {
  let at = start;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (!isWordStart(code) && !isDigit(code) && !(dollar && code === DOLLAR)) break;
  }
  return at;
}

export const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isWordStart = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || code >= 0x80;

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKTICK = 0x60;
const BACKSLASH = 0x5c;
const DASH = 0x2d;
const PLUS = 0x2b;
const HASH = 0x23;
const SLASH = 0x2f;
const STAR = 0x2a;
const DOT = 0x2e;
const DOLLAR = 0x24;
const QUESTION = 0x3f;
const COLON = 0x3a;
const AT = 0x40;
const BANG = 0x21;
const LETTER_E = 0x65;
const LETTER_M = 0x6d;
const LETTER_U = 0x75;
const LETTER_X = 0x78;
