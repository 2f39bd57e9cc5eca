import { describe, expect, it } from 'vitest';
import {
  deleteAttribute,
  getAttribute,
  getAttributes,
  replaceAttributes,
  retainAttributes,
  setAttribute,
} from '../../../src/otlp/attribute-edit.js';
import { decodeSpans } from '../../../src/otlp/decode.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { MessageNode } from '../../../src/otlp/message-node.js';
import { field } from '../../../src/otlp/wire-reader.js';
import { WireWriter } from '../../../src/otlp/wire-writer.js';

const FIRST = field.delimited(1);
const SECOND = field.delimited(2);
const NAME = field.delimited(5);
const ATTRIBUTES = field.delimited(9);

const traces = (...names: string[]) =>
  fromJson(
    'traces',
    JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
          scopeSpans: [
            {
              scope: { name: 'lib' },
              spans: names.map((name) => ({
                name,
                traceId: '0102030405060708090a0b0c0d0e0f10',
                attributes: [
                  { key: 'n', value: { intValue: '1' } },
                  { key: 'd', value: { doubleValue: 1 } },
                  { key: 's', value: { stringValue: 'x' } },
                ],
                startTimeUnixNano: '1700000000000000001',
              })),
            },
          ],
        },
      ],
    }),
  );

const spansOf = (request: MessageNode) =>
  request
    .children(FIRST)
    .flatMap((group) => group.children(SECOND))
    .flatMap((scope) => scope.children(SECOND));

describe('a message node', () => {
  it('encodes to the very same bytes when nothing was edited, however much was looked at', () => {
    const bytes = traces('a', 'b');
    const request = new MessageNode(bytes);
    for (const span of spansOf(request)) {
      span.slots();
      span.child(field.delimited(15));
      expect(getAttributes(span, ATTRIBUTES)).toEqual(
        new Map<string, unknown>([
          ['n', 1n],
          ['d', 1],
          ['s', 'x'],
        ]),
      );
      expect(span.uint64(field.fixed64(7))).toBe(1700000000000000001n);
    }
    expect(request.isChanged).toBe(false);
    expect(request.encode()).toBe(bytes);
  });

  it('changes what was edited and nothing else', () => {
    const request = new MessageNode(traces('a', 'b', 'c'));
    const [, second] = spansOf(request);
    second!.setText(NAME, 'x'.repeat(300));
    second!.setInteger(field.varint(6), 3n);
    second!.setInteger(field.fixed64(8), (1n << 63n) + 5n);
    second!.child(field.delimited(15)).setInteger(field.varint(3), 2n);
    const [a, b, c] = decodeSpans(request.encode());
    const [a0, b0, c0] = decodeSpans(traces('a', 'b', 'c'));
    expect([a, c]).toEqual([a0, c0]);
    expect(b).toEqual({
      ...b0,
      name: 'x'.repeat(300),
      kind: 3,
      endTimeUnixNano: (1n << 63n) + 5n,
      status: { message: '', code: 2 },
    });
  });

  it('keeps unknown fields, also in messages that are edited', () => {
    const writer = new WireWriter();
    const group = writer.open(FIRST, 1);
    const scope = writer.open(SECOND, 1);
    const span = writer.open(SECOND, 1);
    writer.stringField(field.delimited(999), 'unknown');
    writer.stringField(NAME, 'a');
    writer.varintField(field.varint(998), 7);
    writer.close(span);
    writer.stringField(field.delimited(77), 'unknown too');
    writer.close(scope);
    writer.close(group);
    const request = new MessageNode(writer.finish());
    spansOf(request)[0]!.setText(NAME, 'bb');
    const edited = new MessageNode(request.encode());
    const [again] = spansOf(edited);
    expect(again!.text(field.delimited(999))).toBe('unknown');
    expect(again!.uint64(field.varint(998))).toBe(7n);
    expect(again!.text(NAME)).toBe('bb');
    expect(edited.children(FIRST)[0]!.children(SECOND)[0]!.text(field.delimited(77))).toBe('unknown too');
  });

  it('gives a group without resource one when it is edited', () => {
    const request = new MessageNode(fromJson('traces', '{"resourceSpans":[{"scopeSpans":[]}]}'));
    const resource = request.children(FIRST)[0]!.child(FIRST);
    expect(request.isChanged).toBe(false);
    setAttribute(resource, FIRST, 'k', 'v');
    expect(JSON.parse(toJson('traces', request.encode()))).toEqual({
      resourceSpans: [{ resource: { attributes: [{ key: 'k', value: { stringValue: 'v' } }] } }],
    });
  });

  it('merges a message that comes in parts', () => {
    const writer = new WireWriter();
    for (const [tag, text] of [
      [1, 'name'],
      [2, '1.0'],
    ] as const) {
      const mark = writer.open(FIRST, 1);
      writer.stringField(field.delimited(tag), text);
      writer.close(mark);
    }
    const group = new MessageNode(writer.finish());
    const scope = group.child(FIRST);
    expect([scope.text(FIRST), scope.text(SECOND)]).toEqual(['name', '1.0']);
    expect(group.encode()).toBe(group.bytes);
    scope.setText(FIRST, 'other');
    const again = new MessageNode(group.encode()).child(FIRST);
    expect([again.text(FIRST), again.text(SECOND)]).toEqual(['other', '1.0']);
  });

  it('drops children', () => {
    const request = new MessageNode(traces('a', 'b', 'c'));
    const scope = request.children(FIRST)[0]!.children(SECOND)[0]!;
    expect(scope.retain(SECOND, (span) => span.text(NAME) !== 'b')).toBe(2);
    expect(decodeSpans(request.encode()).map(({ name }) => name)).toEqual(['a', 'c']);
  });
});

describe('attributes of a message node', () => {
  const open = () => {
    const request = new MessageNode(traces('a'));
    return { request, span: spansOf(request)[0]! };
  };
  const attributesOf = (request: MessageNode) => decodeSpans(request.encode())[0]!.attributes;

  it('are read without opening it', () => {
    const { span } = open();
    expect(getAttribute(span, ATTRIBUTES, 'n')).toBe(1n);
    expect(getAttribute(span, ATTRIBUTES, 'd')).toBe(1);
    expect(getAttribute(span, ATTRIBUTES, 'nothing')).toBeUndefined();
    expect(span.isOpen).toBe(false);
  });

  it('are added, replaced in place and deleted', () => {
    const { request, span } = open();
    setAttribute(span, ATTRIBUTES, 'new', new Map([['list', [1n, 2.5, null, new Uint8Array([1])]]]));
    setAttribute(span, ATTRIBUTES, 'd', 2);
    expect(deleteAttribute(span, ATTRIBUTES, 'n')).toBe(true);
    expect(deleteAttribute(span, ATTRIBUTES, 'n')).toBe(false);
    expect(Object.entries(attributesOf(request))).toEqual([
      ['d', 2],
      ['s', 'x'],
      ['new', { list: [1, 2.5, null, new Uint8Array([1])] }],
    ]);
    // A double stays one.
    expect(toJson('traces', request.encode())).toContain('{"key":"d","value":{"doubleValue":2}}');
  });

  it('of one key are all replaced by one', () => {
    const { request, span } = open();
    span.append(ATTRIBUTES, (writer) => writer.bytesField(ATTRIBUTES, span.content(ATTRIBUTES)));
    expect(span.slots().filter(({ tag }) => tag === ATTRIBUTES)).toHaveLength(4);
    setAttribute(span, ATTRIBUTES, 's', 'y');
    expect(span.slots().filter(({ tag }) => tag === ATTRIBUTES)).toHaveLength(3);
    expect(attributesOf(request)).toEqual({ n: 1, d: 1, s: 'y' });
  });

  it('are kept by key, and replaced as a whole', () => {
    const { request, span } = open();
    expect(retainAttributes(span, ATTRIBUTES, (key) => key !== 'n')).toBe(1);
    expect(attributesOf(request)).toEqual({ d: 1, s: 'x' });
    replaceAttributes(span, ATTRIBUTES, new Map([['only', true]]));
    expect(attributesOf(request)).toEqual({ only: true });
  });
});
