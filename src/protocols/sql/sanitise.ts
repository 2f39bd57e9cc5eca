/**
 * `db.query.text` without what is private: semantic conventions 1.44, database spans, "Sanitization of db.query.text".
 * Literals become `?`, comments go, white space becomes one blank, and `IN (?, ?, ?)` becomes `IN (?)`.
 */
import { isSpace, TOKEN, type Token } from './tokens.js';

export function sanitiseSql(text: string, tokens: readonly Token[]): string {
  return rewrite(text, tokens, true);
}

/** The statement as the application wrote it, without comments: for parameterised ones, whose values are elsewhere. */
export function normaliseSql(text: string, tokens: readonly Token[]): string {
  return rewrite(text, tokens, false);
}

function rewrite(text: string, tokens: readonly Token[], hide: boolean): string {
  let result = '';
  let end = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind === TOKEN.comment) continue;
    const spaced = result !== '' && (token.start > end || end === 0) && gap(text, end, token.start);
    if (spaced) result += ' ';
    end = token.end;
    if (!hide || !isLiteral(text, token)) {
      result += text.slice(token.start, token.end);
      if (hide && token.kind === TOKEN.word && isWord(text, token, 'IN')) {
        const last = listEnd(text, tokens, i + 1);
        if (last > 0) {
          result += gap(text, token.end, tokens[i + 1]!.start) ? ' (?)' : '(?)';
          i = last;
          end = tokens[last]!.end;
        }
      }
      continue;
    }
    result += '?';
  }
  return result;
}

/** Something that separates stood between two tokens: white space or a comment. */
function gap(text: string, from: number, to: number): boolean {
  if (to <= from) return false;
  const code = text.charCodeAt(from);
  return isSpace(code) || isSpace(text.charCodeAt(to - 1)) || to - from > 1;
}

function isLiteral(text: string, token: Token): boolean {
  if (token.kind === TOKEN.literal) return true;
  if (token.kind !== TOKEN.word) return false;
  return isWord(text, token, 'TRUE') || isWord(text, token, 'FALSE');
}

/** Index of the `)` of a list of two or more literals or parameters that begins at `from`; -1 when it is none. */
function listEnd(text: string, tokens: readonly Token[], from: number): number {
  const open = tokens[from];
  if (open === undefined || text[open.start] !== '(') return -1;
  let values = 0;
  for (let i = from + 1; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind === TOKEN.parameter || isLiteral(text, token)) values++;
    else if (token.kind === TOKEN.symbol) {
      const symbol = text[token.start];
      if (symbol === ')') return values > 1 ? i : -1;
      if (symbol !== ',' && symbol !== '-' && symbol !== '+') return -1;
    } else if (token.kind !== TOKEN.comment) return -1;
  }
  return -1;
}

export function isWord(text: string, token: Token, upper: string): boolean {
  return (
    token.end - token.start === upper.length && text.slice(token.start, token.end).toUpperCase() === upper
  );
}
