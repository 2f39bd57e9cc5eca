/**
 * Resources and scopes read in place. They have one form in all signals.
 * Source: opentelemetry-proto v1.11, resource/v1, common/v1.
 *
 *     resource group  1 Resource (1 attributes)                               2 scope groups  3 schema_url
 *     scope group     1 InstrumentationScope (1 name 2 version 3 attributes)  2 items         3 schema_url
 */
import type { Attributes, AttributeValue } from './any-value.js';
import { findAttribute, keyBytes, readAttributes } from './any-value.js';
import { field, WireReader } from './wire-reader.js';

const HEADER = field.delimited(1);
const SCHEMA_URL = field.delimited(3);
const RESOURCE_ATTRIBUTE = field.delimited(1);
const SCOPE_NAME = field.delimited(1);
const SCOPE_VERSION = field.delimited(2);
const SCOPE_ATTRIBUTE = field.delimited(3);

/** The resource (process, service) that a group of spans belongs to. Valid as long as the batch's bytes. */
export class ResourceView {
  readonly bytes: Uint8Array;
  /** Range of the enclosing ResourceSpans (or ResourceMetrics, ResourceLogs) message. */
  readonly start: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  attribute(key: string): AttributeValue | undefined {
    const wanted = keyBytes(key);
    const reader = new WireReader(this.bytes, this.start, this.end);
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === HEADER) {
        const value = findAttribute(this.bytes, reader.start, reader.pos, RESOURCE_ATTRIBUTE, wanted);
        if (value !== undefined) return value;
      }
    }
    return undefined;
  }

  attributes(): Attributes {
    const attributes: Record<string, AttributeValue> = {};
    const reader = new WireReader(this.bytes, this.start, this.end);
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === HEADER) {
        readAttributes(this.bytes, reader.start, reader.pos, RESOURCE_ATTRIBUTE, attributes);
      }
    }
    return attributes;
  }

  get schemaUrl(): string {
    return lastText(this.bytes, this.start, this.end, SCHEMA_URL);
  }
}

/** The instrumentation scope (library) that made a group of spans. Valid as long as the batch's bytes. */
export class ScopeView {
  readonly bytes: Uint8Array;
  /** Range of the enclosing ScopeSpans (or ScopeMetrics, ScopeLogs) message. */
  readonly start: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  get name(): string {
    return this.#scopeText(SCOPE_NAME);
  }

  get version(): string {
    return this.#scopeText(SCOPE_VERSION);
  }

  get schemaUrl(): string {
    return lastText(this.bytes, this.start, this.end, SCHEMA_URL);
  }

  attributes(): Attributes {
    const attributes: Record<string, AttributeValue> = {};
    const reader = new WireReader(this.bytes, this.start, this.end);
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === HEADER) {
        readAttributes(this.bytes, reader.start, reader.pos, SCOPE_ATTRIBUTE, attributes);
      }
    }
    return attributes;
  }

  #scopeText(textTag: number): string {
    const reader = new WireReader(this.bytes, this.start, this.end);
    let text = '';
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === HEADER) {
        text = lastText(this.bytes, reader.start, reader.pos, textTag) || text;
      }
    }
    return text;
  }
}

function lastText(bytes: Uint8Array, start: number, end: number, wanted: number): string {
  const reader = new WireReader(bytes, start, end);
  let text = '';
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === wanted) text = reader.text();
  }
  return text;
}
