/**
 * The two outer levels that all signals share: resource, then scope, then items.
 *
 *     Export*Request  1 resource group (repeated)
 *     resource group  1 Resource  2 scope group (repeated)  3 schema_url
 *     scope group     1 InstrumentationScope  2 item (repeated)  3 schema_url
 *     Resource        1 attributes  2 dropped_attributes_count
 *     Scope           1 name  2 version  3 attributes  4 dropped_attributes_count
 */
import type { AttributesInput } from './attribute-writer.js';
import { writeAttributes } from './attribute-writer.js';
import { field } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

const RESOURCE_GROUP = field.delimited(1);
const RESOURCE = field.delimited(1);
const RESOURCE_ATTRIBUTE = field.delimited(1);
const SCOPE_GROUP = field.delimited(2);
const SCOPE = field.delimited(1);
const SCOPE_NAME = field.delimited(1);
const SCOPE_VERSION = field.delimited(2);
const SCOPE_ATTRIBUTE = field.delimited(3);
const SCHEMA_URL = field.delimited(3);

export class BatchWriter {
  readonly #writer: WireWriter;
  #resourceMark = -1;
  #scopeMark = -1;
  #itemCount = 0;

  constructor(initialBytes = 16 * 1024) {
    this.#writer = new WireWriter(initialBytes);
  }

  /** Spans, data points or log records written since the last `finish`. */
  get itemCount(): number {
    return this.#itemCount;
  }

  /** Bytes written since the last `finish`, for cutting batches by size. */
  get sizeBytes(): number {
    return this.#writer.pos;
  }

  /** Begins the group of a resource. */
  resource(attributes: AttributesInput, schemaUrl?: string): void {
    this.#closeResource();
    const writer = this.#writer;
    this.#resourceMark = writer.open(RESOURCE_GROUP, 3);
    const mark = writer.open(RESOURCE, 2);
    writeAttributes(writer, RESOURCE_ATTRIBUTE, attributes);
    writer.close(mark);
    if (schemaUrl) writer.stringField(SCHEMA_URL, schemaUrl);
  }

  /** Begins the group of an instrumentation scope within the current resource. */
  scope(name: string, version = '', attributes?: AttributesInput, schemaUrl?: string): void {
    if (this.#resourceMark < 0) throw new Error('scope() needs resource() before it.');
    this.#closeScope();
    const writer = this.#writer;
    this.#scopeMark = writer.open(SCOPE_GROUP, 3);
    const mark = writer.open(SCOPE, 1);
    if (name !== '') writer.stringField(SCOPE_NAME, name);
    if (version !== '') writer.stringField(SCOPE_VERSION, version);
    if (attributes !== undefined) writeAttributes(writer, SCOPE_ATTRIBUTE, attributes);
    writer.close(mark);
    if (schemaUrl) writer.stringField(SCHEMA_URL, schemaUrl);
  }

  /** Writes one item; takes back what was written of it when `write` throws. `count` is what it adds to `itemCount`. */
  protected item<T>(tag: number, item: T, write: (writer: WireWriter, item: T) => void, count = 1): void {
    if (this.#scopeMark < 0)
      throw new Error('resource() and scope() must be called before items are written.');
    const writer = this.#writer;
    const before = writer.pos;
    try {
      const mark = writer.open(tag, 2);
      write(writer, item);
      writer.close(mark);
    } catch (error) {
      writer.pos = before;
      throw error;
    }
    this.#itemCount += count;
  }

  /** The encoded request; empty when nothing was written. The writer starts anew and keeps its memory. */
  finish(): Uint8Array {
    this.#closeResource();
    const bytes = this.#writer.finish();
    this.#writer.reset();
    this.#itemCount = 0;
    return bytes;
  }

  #closeScope(): void {
    if (this.#scopeMark >= 0) this.#writer.close(this.#scopeMark);
    this.#scopeMark = -1;
  }

  #closeResource(): void {
    this.#closeScope();
    if (this.#resourceMark >= 0) this.#writer.close(this.#resourceMark);
    this.#resourceMark = -1;
  }
}
