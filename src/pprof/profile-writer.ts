/**
 * Writes a profile in pprof's form
 * (https://github.com/google/pprof/blob/main/proto/profile.proto), gzip not included.
 *
 *     Profile { 1 sample_type*  2 sample*  3 mapping*  4 location*  5 function*  6 string*  9 time_nanos
 *               10 duration_nanos  11 period_type  12 period }
 */
import { field } from '../otlp/wire-reader.js';
import { WireWriter } from '../otlp/wire-writer.js';

const delimited = field.delimited;
const varint = field.varint;

export interface Frame {
  readonly functionName: string;
  readonly url: string;
  /** From 0, as V8 counts; -1 when unknown. */
  readonly lineNumber: number;
}

export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

export interface ProfileKind {
  readonly values: readonly ValueType[];
  readonly period: ValueType & { readonly every: number };
  readonly startMs: number;
  readonly durationMs: number;
}

export class ProfileWriter {
  readonly #samples = new WireWriter(64 * 1024);
  readonly #locations = new WireWriter(64 * 1024);
  readonly #functions = new WireWriter(64 * 1024);
  readonly #strings = new Map<string, number>([['', 0]]);
  readonly #locationIds = new Map<string, number>();
  readonly #functionIds = new Map<string, number>();

  /** Adds one sample; `stack` has the innermost frame first. Values are whole numbers. */
  sample(
    stack: readonly Frame[],
    values: readonly number[],
    labels: Readonly<Record<string, string>> = {},
  ): void {
    const ids = stack.map((frame) => this.#location(frame));
    const mark = this.#samples.open(delimited(2), 3);
    for (const id of ids) this.#samples.varintField(varint(1), id);
    for (const value of values) this.#samples.varintField(varint(2), value);
    for (const [key, text] of Object.entries(labels)) {
      const label = this.#samples.open(delimited(3), 1);
      this.#samples.varintField(varint(1), this.#string(key));
      this.#samples.varintField(varint(2), this.#string(text));
      this.#samples.close(label);
    }
    this.#samples.close(mark);
  }

  finish({ values, period, startMs, durationMs }: ProfileKind): Uint8Array {
    const out = new WireWriter(256 * 1024);
    for (const one of values) this.#valueType(out, delimited(1), one);
    out.raw(this.#samples.finish());
    out.raw(this.#locations.finish());
    out.raw(this.#functions.finish());
    const head = new WireWriter();
    this.#valueType(head, delimited(11), period);
    // All strings are known now.
    for (const text of this.#strings.keys()) out.stringField(delimited(6), text);
    // Beyond 2^53 nanoseconds since 1970 numbers lose the last digits, which mean nothing here.
    out.varintField(varint(9), Math.round(startMs) * 1e6);
    out.varintField(varint(10), Math.round(durationMs * 1e6));
    out.raw(head.finish());
    out.varintField(varint(12), period.every);
    return out.finish();
  }

  #valueType(out: WireWriter, tag: number, { type, unit }: ValueType): void {
    const mark = out.open(tag, 1);
    out.varintField(varint(1), this.#string(type));
    out.varintField(varint(2), this.#string(unit));
    out.close(mark);
  }

  #location(frame: Frame): number {
    const functionId = this.#function(frame);
    const line = Math.max(0, frame.lineNumber + 1);
    const key = `${functionId} ${line}`;
    let id = this.#locationIds.get(key);
    if (id === undefined) {
      id = this.#locationIds.size + 1;
      this.#locationIds.set(key, id);
      const mark = this.#locations.open(delimited(4), 1);
      this.#locations.varintField(varint(1), id);
      const inner = this.#locations.open(delimited(4), 1);
      this.#locations.varintField(varint(1), functionId);
      this.#locations.varintField(varint(2), line);
      this.#locations.close(inner);
      this.#locations.close(mark);
    }
    return id;
  }

  #function({ functionName, url, lineNumber }: Frame): number {
    const name = functionName === '' ? '(anonymous)' : functionName;
    const key = JSON.stringify([name, url, lineNumber]);
    let id = this.#functionIds.get(key);
    if (id === undefined) {
      id = this.#functionIds.size + 1;
      this.#functionIds.set(key, id);
      const mark = this.#functions.open(delimited(5), 1);
      this.#functions.varintField(varint(1), id);
      this.#functions.varintField(varint(2), this.#string(name));
      this.#functions.varintField(varint(3), this.#string(name));
      this.#functions.varintField(varint(4), this.#string(url));
      this.#functions.varintField(varint(5), Math.max(0, lineNumber + 1));
      this.#functions.close(mark);
    }
    return id;
  }

  #string(text: string): number {
    let index = this.#strings.get(text);
    if (index === undefined) {
      index = this.#strings.size;
      this.#strings.set(text, index);
    }
    return index;
  }
}
