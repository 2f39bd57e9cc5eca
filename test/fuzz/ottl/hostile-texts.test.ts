/**
 * Whatever a configuration says, the OTTL parser and compiler answer with a result or an `Error` with a sentence; whatever
 * the data is, a statement answers with a result, `OttlError` or `MalformedError`, and what it leaves is OTLP.
 *
 * `FUZZ_ROUNDS` and `FUZZ_SEED` make the run longer or different; a failure names its statement.
 */
import { describe, expect, test } from 'vitest';
import { GoRegExp } from '../../../src/go/regexp.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { MalformedError } from '../../../src/otlp/malformed-error.js';
import { MessageNode } from '../../../src/otlp/message-node.js';
import { validate } from '../../../src/otlp/validate.js';
import { walkContexts } from '../../../src/ottl/context-walk.js';
import { compileStatement } from '../../../src/ottl/statement.js';
import { OttlError } from '../../../src/ottl/values.js';
import { ottlConverters } from '../../helpers/parity/cases/ottl-converters.js';
import { ottlTelemetry } from '../../helpers/parity/cases/ottl-telemetry.js';
import { INPUTS } from '../../helpers/parity/inputs.js';
import { seededRandom } from '../../helpers/random.js';

const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 3000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

const SIGNALS = ['traces', 'metrics', 'logs'] as const;
const CONTEXTS = {
  traces: ['resource', 'scope', 'span', 'spanevent'],
  metrics: ['metric', 'datapoint', 'exemplar'],
  logs: ['log'],
} as const;

/** All statements of the parity cases of a signal. */
function statementsOf(signal: (typeof SIGNALS)[number]): string[] {
  const own = ottlTelemetry().filter((one) => one.signal === signal && one.component === 'transform');
  const cases = signal === 'logs' ? [...own, ...ottlConverters()] : own;
  return cases.flatMap(({ config }) =>
    Object.values(JSON.parse(config) as Record<string, unknown>).flatMap((list) =>
      Array.isArray(list) ? list.filter((one): one is string => typeof one === 'string') : [],
    ),
  );
}

/** Pieces of statements put together anew: what looks like the language and is not quite. */
function mutate(texts: readonly string[], random: () => number): string {
  const pick = () => texts[Math.floor(random() * texts.length)]!;
  const cut = (text: string) => Math.floor(random() * (text.length + 1));
  let text = pick();
  for (let change = Math.floor(random() * 4); change > 0; change--) {
    const [at, other] = [cut(text), pick()];
    const from = cut(other);
    const piece = other.slice(from, from + Math.floor(random() * 12));
    text = text.slice(0, at) + piece + text.slice(random() < 0.5 ? at : at + piece.length);
  }
  return text;
}

describe.each(SIGNALS)('statements about %s', (signal) => {
  const texts = statementsOf(signal);
  const input = fromJson(signal, JSON.stringify(INPUTS[signal]));

  test('end in a result or an error of their own', () => {
    const random = seededRandom(SEED);
    let compiled = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const text = mutate(texts, random);
      const contexts = CONTEXTS[signal];
      const context = contexts[Math.floor(random() * contexts.length)]!;
      let statement: ReturnType<typeof compileStatement>;
      try {
        statement = compileStatement(text, context, 'prefixed');
      } catch (error) {
        expect((error as Error).constructor.name, text).toMatch(/^(Error|OttlSyntaxError|MisuseError)$/);
        expect((error as Error).message, text).not.toMatch(
          /of undefined|is not a function|is not iterable|Cannot read|Invalid regular/,
        );
        continue;
      }
      compiled++;
      const request = new MessageNode(input);
      walkContexts(
        request,
        context,
        () => 1_700_000_000_000,
        (place) => {
          try {
            statement.run(place);
          } catch (error) {
            if (!(error instanceof OttlError || error instanceof MalformedError)) {
              throw new Error(`${text}: ${String(error)}`, { cause: error });
            }
          }
        },
      );
      expect(() => validate(signal, request.encode()), text).not.toThrow();
    }
    expect(compiled).toBeGreaterThan(ROUNDS / 20);
  });

  test('end in the same on broken bytes', () => {
    const random = seededRandom(SEED + 1);
    for (let round = 0; round < ROUNDS / 4; round++) {
      const bytes = Buffer.from(input);
      for (let change = 0; change < 4; change++) {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      }
      const text = texts[Math.floor(random() * texts.length)]!;
      for (const context of CONTEXTS[signal]) {
        try {
          const statement = compileStatement(text, context, 'prefixed');
          const request = new MessageNode(bytes);
          walkContexts(
            request,
            context,
            () => 0,
            (place) => statement.run(place),
          );
          request.encode();
        } catch (error) {
          if (error instanceof OttlError || error instanceof MalformedError) continue;
          expect((error as Error).message, text).toMatch(/^unable to parse OTTL statement/);
        }
      }
    }
  });
});

test('Go regular expressions end in a match, none, or an error with a sentence', () => {
  const random = seededRandom(SEED + 2);
  const pieces = [
    'a',
    '.',
    '*',
    '+?',
    '(?P<n>',
    '(?:',
    '(?i)',
    ')',
    '[',
    '^]',
    ']',
    '\\d',
    '\\pL',
    '\\x{41}',
    '{2,3}',
    '|',
    '$',
    '\\b',
    '[[:alpha:]]',
    '\\Q*\\E',
    '(?=',
    '\\1',
    'é',
  ];
  let compiled = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const length = 1 + Math.floor(random() * 7);
    const source = Array.from({ length }, () => pieces[Math.floor(random() * pieces.length)]!).join('');
    let pattern: GoRegExp;
    try {
      pattern = new GoRegExp(source);
    } catch (error) {
      expect((error as Error).message, source).toMatch(/^error parsing regexp: /);
      continue;
    }
    compiled++;
    expect(typeof pattern.test('aaA1é.*'), source).toBe('boolean');
    expect(typeof pattern.replaceAll('aaA1é.*', () => 'x'), source).toBe('string');
  }
  expect(compiled).toBeGreaterThan(ROUNDS / 20);
});
