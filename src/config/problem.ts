import { formatPosition, type Position } from './node.js';

/** One thing that is wrong with the configuration. */
export interface Problem {
  /**
   * `decode`: it can't be read (unknown key, wrong type); `validate`: it reads well and makes no sense; `build`: the
   * pipelines can't be built from it.
   */
  readonly stage: 'decode' | 'validate' | 'build';
  /** The Collector's sentence where it has one. May span lines. */
  readonly message: string;
  readonly position?: Position | undefined;
  /** Nearest known word. */
  readonly suggestion?: string | undefined;
}

const DECODE_PREFIX =
  'failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n\n';

/**
 * All problems as one text. The sentences come first and unchanged, since people search for them; a line with the place
 * and the nearest known word follows each. `prefixed`: with the words that `run` puts before them and `validate` does not.
 */
export function formatProblems(
  problems: readonly Problem[],
  options: { readonly prefixed: boolean },
): string {
  const decode = problems.filter((problem) => problem.stage === 'decode').map(withHint);
  const validate = problems.filter((problem) => problem.stage === 'validate').map(withHint);
  const build = problems.filter((problem) => problem.stage === 'build').map(withHint);
  const blocks: string[] = [];
  if (decode.length > 0) blocks.push(DECODE_PREFIX + decode.join('\n'));
  if (validate.length > 0) {
    blocks.push((options.prefixed ? 'invalid configuration: ' : '') + validate.join('\n'));
  }
  if (build.length > 0) blocks.push(`failed to build pipelines: ${build.join('\n')}`);
  return blocks.join('\n');
}

function withHint({ message, position, suggestion }: Problem): string {
  const place = position === undefined ? '' : `at ${formatPosition(position)}`;
  const hint = suggestion === undefined ? '' : `did you mean "${suggestion}"?`;
  const line = [place, hint].filter((part) => part !== '').join(': ');
  return line === '' ? message : `${message}\n  ${line}`;
}
