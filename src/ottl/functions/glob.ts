/**
 * Glob patterns over whole texts: `*` and `?` match anything, `[a-z]`, `[!a]`, `{a,b}` and `\` as usual.
 * Undefined for a pattern with a bracket or brace that nothing closes.
 * Source: github.com/gobwas/glob, which the Collector uses.
 */
export function compileGlob(pattern: string): ((text: string) => boolean) | undefined {
  let source = '';
  let braces = 0;
  const quote = (char: string) => (/[\^$\\.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char);
  const chars = Array.from(pattern);
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (char === '\\' && at + 1 < chars.length) source += quote(chars[++at]!);
    else if (char === '{') {
      braces++;
      source += '(?:';
    } else if (char === '}' && braces > 0) {
      braces--;
      source += ')';
    } else if (char === ',' && braces > 0) source += '|';
    else if (char === '[') {
      const end = chars.indexOf(']', at + 2);
      if (end < 0) return undefined;
      const inner = chars.slice(at + 1, end).join('');
      const negated = inner.startsWith('!');
      source += `[${negated ? '^' : ''}${inner.slice(negated ? 1 : 0).replace(/[\\^\]]/g, '\\$&')}]`;
      at = end;
    } else source += quote(char);
  }
  if (braces > 0) return undefined;
  const regexp = new RegExp(`^${source}$`, 'su');
  return (text) => regexp.test(text);
}
