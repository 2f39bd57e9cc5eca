import { describe, expect, it } from 'vitest';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { MessageNode } from '../../../src/otlp/message-node.js';
import { walkContexts } from '../../../src/ottl/context-walk.js';
import { inferContext } from '../../../src/ottl/infer-context.js';
import { compileCondition, compileStatement } from '../../../src/ottl/statement.js';
import { OttlError } from '../../../src/ottl/values.js';

const request = () =>
  new MessageNode(
    fromJson(
      'traces',
      JSON.stringify({
        resourceSpans: [
          {
            resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
            scopeSpans: [
              {
                scope: { name: 'lib' },
                spans: [
                  {
                    name: 'GET /',
                    kind: 2,
                    startTimeUnixNano: '10',
                    endTimeUnixNano: '9007199254740999',
                    attributes: [
                      { key: 'n', value: { intValue: '7' } },
                      { key: 'd', value: { doubleValue: 7 } },
                      { key: 'b', value: { boolValue: true } },
                      {
                        key: 'm',
                        value: { kvlistValue: { values: [{ key: 'k', value: { intValue: '1' } }] } },
                      },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      }),
    ),
  );

function holds(condition: string): boolean {
  const { test } = compileCondition(condition, 'span', 'plain');
  const results: boolean[] = [];
  walkContexts(
    request(),
    'span',
    () => 0,
    (context) => results.push(test(context)),
  );
  return results[0]!;
}

describe('conditions', () => {
  it.each([
    ['attributes["n"] == 7', true],
    ['attributes["n"] == 7.0', true],
    ['attributes["n"] == attributes["d"]', true],
    ['attributes["n"] == "7"', false],
    ['attributes["n"] != "7"', true],
    ['attributes["n"] < "8"', false],
    ['attributes["nothing"] == nil', true],
    ['attributes["nothing"] != nil', false],
    ['attributes["nothing"] >= nil', true],
    ['attributes["nothing"] > 1', false],
    ['attributes["b"] == true and not (name == "x")', true],
    ['attributes["b"] > false', true],
    ['"b" > "a" and "a" <= "a"', true],
    ['0x0102 < 0x0103', true],
    ['attributes["m"] == {"k": 1}', true],
    ['attributes["m"] == {"k": 1.0}', false],
    ['[1, "a"] == [1, "a"]', true],
    ['[1] < [2]', false],
    ['attributes["m"]["k"] + 1 == 2', true],
    ['-7 + attributes["n"] == 0', true],
    ['7 / 2 == 3', true],
    ['7 / 2.0 == 3.5', true],
    ['2 + 3 * 4 == 14', true],
    ['(2 + 3) * 4 == 20', true],
    ['9223372036854775807 + 1 < 0', true],
    // Neither side is exact as a double.
    ['end_time_unix_nano == 9007199254740999', true],
    ['end_time_unix_nano != 9007199254740998', true],
    ['end_time - start_time > Duration("2501h")', true],
    ['kind == SPAN_KIND_SERVER', true],
    ['true or attributes["n"]["x"] == 1', true],
    ['resource.attributes["service.name"] == "shop" and instrumentation_scope.name == "lib"', true],
    ['span.name == "GET /"', true],
    ['IsRootSpan()', true],
    ['trace_id == TraceID(0x00000000000000000000000000000000)', true],
    ['Len(attributes) == 4', true],
    ['attributes[Concat(["", "n"], "")] == 7', true],
  ])('%s: %s', (condition, expected) => {
    expect(holds(condition)).toBe(expected);
  });

  it.each([
    ['1 / 0 == 1', 'attempted to divide by 0'],
    ['attributes["n"]["x"] == 1', 'type Int does not support string indexing'],
    ['name + 1 == 2', 'GET / must be int64, float64, time.Time or time.Duration'],
    ['Substring(name, 3, 99) == "x"', 'invalid range for substring function'],
    ['ToLowerCase(attributes["n"]) == "x"', 'expected string but got int64'],
    ['ToLowerCase(attributes["zz"]) == "x"', 'expected string but got nil'],
    ['attributes["m"][0] == 1', "expecting 'string' but got 'int64'"],
    ['Concat(["a"], ",") == "a" and Int({"a": 1}) == 1', 'unsupported type: pcommon.Map'],
  ])('%s fails with: %s', (condition, message) => {
    expect(() => holds(condition)).toThrow(OttlError);
    expect(() => holds(condition)).toThrow(message);
  });

  it('are refused when they are nested too deep, before the stack ends', () => {
    const deep = `${'('.repeat(5000)}true${')'.repeat(5000)}`;
    expect(() => compileCondition(deep, 'span', 'plain')).toThrow(/nested deeper than 64/);
  });
});

describe('statements', () => {
  const edited = (statement: string) => {
    const node = request();
    const { run } = compileStatement(statement, 'span', 'plain');
    walkContexts(node, 'span', () => 0, run);
    return node;
  };

  it.each([
    'set(attributes["x"], nil)',
    'set(name, "x") where false',
    'delete_key(attributes, "absent")',
    'delete_matching_keys(attributes, "^absent")',
    'keep_keys(attributes, ["n", "d", "b", "m"])',
    'replace_pattern(name, "absent", "x")',
    'replace_all_patterns(attributes, "value", "absent", "x")',
    'truncate_all(attributes, 100)',
    'limit(attributes, 4, [])',
    'merge_maps(attributes, {"n": 1}, "insert")',
    'set(cache["x"], 1)',
  ])('%s changes no byte', (statement) => {
    const node = edited(statement);
    expect(node.isChanged).toBe(false);
    expect(node.encode()).toBe(node.bytes);
  });

  it('refuse to write a time as an attribute', () => {
    expect(() => edited('set(attributes["t"], start_time)')).toThrow(
      'unsupported type time.Time for set operation; current value type is Empty',
    );
  });

  it('do not touch the prototype of anything', () => {
    const node = edited('set(attributes["__proto__"]["polluted"], "yes")');
    expect(node.isChanged).toBe(true);
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });
});

describe('inferContext', () => {
  it('takes the most special context that is named', () => {
    const infer = (statements: string[], conditions: string[] = []) =>
      inferContext({ statements, conditions }, ['resource', 'scope', 'span', 'spanevent']);
    expect(infer(['set(resource.attributes["a"], "x")'])).toBe('resource');
    expect(infer(['set(resource.attributes["a"], span.name)'])).toBe('span');
    expect(infer(['set(span.name, "x")'], ['spanevent.name == "y"'])).toBe('spanevent');
    expect(infer([], ['name == "y"'])).toBeUndefined();
  });

  it('takes one that sees it where a function is missing', () => {
    const statements = ['convert_summary_count_val_to_sum("delta", true) where metric.name == "x"'];
    expect(inferContext({ statements }, ['metric', 'datapoint'])).toBe('datapoint');
    expect(() => inferContext({ statements }, ['metric'])).toThrow(
      'inferred context "metric" does not support the function "convert_summary_count_val_to_sum"',
    );
  });
});
