/**
 * What go-yaml says of a text that is not YAML, since that is what people search for. Its scanner counts lines from one and
 * its parser from zero, and neither names the first.
 */
import type { YAMLParseError } from 'yaml';

interface Sentence {
  /** Of what our parser says. */
  readonly pattern: RegExp;
  readonly sentence: string;
  /** `item`: both parsers count alike. */
  readonly by: 'scanner' | 'parser' | 'item';
}

const SENTENCES: readonly Sentence[] = [
  {
    pattern: /unexpected flow-(?:map|seq)-end|Unexpected flow-(?:map|seq)-end/,
    sentence: 'did not find expected node content',
    by: 'parser',
  },
  { pattern: /end with a \]/, sentence: "did not find expected ',' or ']'", by: 'parser' },
  { pattern: /end with a \}/, sentence: "did not find expected ',' or '}'", by: 'parser' },
  { pattern: /must start at the same column/, sentence: 'did not find expected key', by: 'item' },
  { pattern: /Missing closing/, sentence: 'found unexpected end of stream', by: 'scanner' },
  {
    pattern: /Nested mappings are not allowed/,
    sentence: 'mapping values are not allowed in this context',
    by: 'scanner',
  },
];

/** `yaml: line 2: …` for the errors of a document, of which there is at least one. `lineAt` counts from one. */
export function goYamlSentence(
  text: string,
  errors: readonly YAMLParseError[],
  lineAt: (offset: number) => number,
): string {
  const [first] = errors;
  if (first === undefined) throw new Error('there is no error');
  const [offset] = first.pos;
  if (first.code === 'TAB_AS_INDENT') {
    return `yaml: line ${lineAt(offset)}: found character that cannot start any token`;
  }
  for (const { pattern, sentence, by } of SENTENCES) {
    const error = errors.find(({ message }) => pattern.test(message));
    if (error === undefined) continue;
    const at = error.pos[0];
    if (by === 'item') return `yaml: line ${lineAt(at)}: ${sentence}`;
    // The end of a text is on a line of its own.
    const atEnd = at >= text.trimEnd().length && !text.endsWith('\n');
    const fromZero = lineAt(at) - 1 + (atEnd ? 1 : 0);
    const line = by === 'scanner' && fromZero > 0 ? fromZero + 1 : fromZero;
    return line === 0 ? `yaml: ${sentence}` : `yaml: line ${line}: ${sentence}`;
  }
  return `yaml: line ${lineAt(offset)}: ${first.message}`;
}
