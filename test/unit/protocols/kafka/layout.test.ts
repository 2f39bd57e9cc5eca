import { describe, expect, it } from 'vitest';
import { apiOf } from '../../../../src/protocols/kafka/apis.js';
import {
  compileLayout,
  type LayoutNode,
  type LayoutVisitor,
  LayoutWalk,
} from '../../../../src/protocols/kafka/layout.js';

const shape = (nodes: readonly LayoutNode[]): string =>
  nodes
    .map(({ kind, role, size, children }) =>
      [role ?? '', kind, size || '', children.length === 0 ? '' : `<${shape(children)}>`].join(''),
    )
    .join(' ');

/** Writes down what it is told. */
class Notes implements LayoutVisitor {
  readonly seen: string[] = [];
  number = (role: string, value: number) => this.seen.push(`${role}=${value}`);
  text = (role: string, bytes: Buffer, start: number, end: number) =>
    this.seen.push(`${role}=${bytes.toString('latin1', start, end)}`);
  uuid = (bytes: Buffer, start: number) => this.seen.push(`id=${bytes.toString('hex', start, start + 2)}`);
  batch = (_: Buffer, start: number, end: number, length: number) =>
    this.seen.push(`records=${end - start}/${length}`);
  enter = (role: string | undefined) => this.seen.push(`{${role ?? ''}`);
  leave = () => this.seen.push('}');
}

const walk = (text: string, version: number, flexible: number, hex: string, visible?: number) => {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const notes = new Notes();
  const walker = new LayoutWalk();
  const nodes = compileLayout(text, version, flexible);
  walker.run(nodes, version >= flexible, bytes, 0, visible ?? bytes.length, bytes.length, notes);
  return `${walker.result} ${walker.at} ${notes.seen.join(' ')}`.trim();
};

describe('the layout of a Kafka message', () => {
  it('has the fields of its version', () => {
    const text = 'i h error:h@1- topic:*s@-1 [id:u (b l)@2 s]@1- ?(i)@3';
    expect(shape(compileLayout(text, 0, 9))).toBe('number6 array<topicstring>');
    expect(shape(compileLayout(text, 1, 9))).toBe(
      'number6 errornumber2 array<topicstring> array<iduuid16 string>',
    );
    expect(shape(compileLayout(text, 2, 9))).toBe(
      'number6 errornumber2 array<iduuid16 struct<number9> string>',
    );
    expect(shape(compileLayout(text, 3, 3))).toBe(
      'number6 errornumber2 array<iduuid16 string tags> nullable<number4 tags> tags',
    );
  });

  it('exists for every version of every request', () => {
    let layouts = 0;
    for (let key = 0; key <= 94; key++) {
      const api = apiOf(key)!;
      expect(api.key).toBe(key);
      for (let version = api.lowest; version <= api.highest; version++) {
        expect(api.request(version).length + api.response(version).length).toBeGreaterThan(0);
        layouts += 2;
      }
    }
    expect(layouts).toBeGreaterThan(700);
    expect(apiOf(95)).toBeUndefined();
  });

  it('is walked through in both encodings', () => {
    const text = 'acks:h [topic:s [partition:i records:r]] error:h';
    expect(walk(text, 0, 9, 'ffff 00000001 0001 61 00000001 00000007 00000002 beef 0003')).toBe(
      'whole 25 acks=-1 { topic=a { partition=7 records=2/2 } } error=3',
    );
    expect(walk(text, 9, 9, 'ffff 02 02 61 02 00000007 03 beef 00 00 0003 01 00 01 ff')).toBe(
      'whole 21 acks=-1 { topic=a { partition=7 records=2/2 } } error=3',
    );
    expect(walk('topic:s [i] ?(error:h) error:h', 1, 1, '00 00 ff 0002 00')).toBe('whole 6 error=2');
  });

  it('tells what is cut from what makes no sense', () => {
    const text = '[topic:s i] error:h';
    const hex = '00000001 0003 616263 00000000 0001';
    expect(walk(text, 0, 9, hex, 8)).toBe('cut 6 { }');
    expect(walk(text, 0, 9, hex, 14)).toBe('cut 13 { topic=abc }');
    expect(walk(text, 0, 9, '00000001 0100 616263 00000000 0001')).toBe('bad 6 { }');
    expect(walk(text, 0, 9, '7fffffff 0003 616263')).toBe('bad 4');
    expect(walk(text, 0, 9, 'fffffffe 0000')).toBe('bad 4');
    expect(walk(text, 9, 9, 'ffffffffffffff')).toBe('bad 5');
    expect(walk('records:r', 0, 9, '00000009 0102', 6)).toBe('bad 4');
  });
});
