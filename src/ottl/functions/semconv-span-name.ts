/**
 * `set_semconv_span_name`: the span name that the semantic conventions prescribe, by the span's attributes.
 * Sources: transformprocessor README; semantic conventions for HTTP, RPC, database and messaging spans (names); their older
 * attribute names count too.
 */
import { asString } from '../../go/values.js';
import { getAttributes, setAttribute } from '../../otlp/attribute-edit.js';
import type { TypedValue } from '../../otlp/typed-value.js';
import { field } from '../../otlp/wire-reader.js';
import type { EditorDef } from './function.js';

const NAME = field.delimited(5);
const KIND = field.varint(6);
const ATTRIBUTES = field.delimited(9);
/** Versions of the conventions that the Collector takes, least and greatest. */
const VERSIONS = ['1.37.0', '1.40.0'] as const;

type Attributes = ReadonlyMap<string, TypedValue>;

/** Rules by span kind (internal 1, server 2, client 3, producer 4, consumer 5), tried in order. */
const RULES: Readonly<Record<number, readonly ((attributes: Attributes) => string | undefined)[]>> = {
  2: [(attributes) => http(attributes, 'http.route'), rpc, messaging],
  3: [(attributes) => http(attributes, 'url.template'), rpc, database, messaging],
  4: [messaging],
  5: [messaging],
};

export const SEMCONV_EDITORS: Readonly<Record<string, EditorDef>> = {
  set_semconv_span_name: {
    parameters: ['semconvVersion', 'originalSpanNameAttribute?'],
    build: (args) => {
      checkVersion(args.literalText(0));
      const keep = args.has(1) ? args.literalText(1) : undefined;
      if (keep === '') throw new Error('originalSpanNameAttribute cannot be an empty string');
      return ({ item }) => {
        const span = item!;
        const before = span.text(NAME);
        const attributes = getAttributes(span, ATTRIBUTES);
        const rules = RULES[span.uint32(KIND)] ?? [];
        const name = rules.map((rule) => rule(attributes)).find((one) => one !== undefined && one !== '');
        if (name === undefined || name === before) return;
        span.setText(NAME, name);
        if (keep !== undefined) setAttribute(span, ATTRIBUTES, keep, before);
      };
    },
  },
};

function checkVersion(version: string): void {
  const parts = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(version);
  if (parts === null)
    throw new Error(`failed to parse semconv version "${version}": Invalid Semantic Version`);
  const number = (text: string) => {
    const [major = 0, minor = 0, patch = 0] = text.replace('v', '').split('.').map(Number);
    return (major * 1e6 + minor) * 1e6 + patch;
  };
  const [least, greatest] = VERSIONS;
  if (number(version) >= number(least) && number(version) <= number(greatest)) return;
  throw new Error(`unsupported semconv version "${version}": must be between ${least} and ${greatest}`);
}

/** The first of several attributes that is there, as text. */
function find(attributes: Attributes, ...names: readonly string[]): string | undefined {
  const name = names.find((one) => attributes.has(one));
  return name === undefined ? undefined : asString(attributes.get(name)!);
}

function http(attributes: Attributes, subject: string): string | undefined {
  const method = find(attributes, 'http.request.method', 'http.method');
  const target = find(attributes, subject);
  return method === undefined || target === undefined ? method : `${method} ${target}`;
}

function rpc(attributes: Attributes): string | undefined {
  const system = find(attributes, 'rpc.system.name', 'rpc.system');
  if (system === undefined) return undefined;
  const method = find(attributes, 'rpc.method', 'rpc.grpc.method');
  const service = find(attributes, 'rpc.service', 'rpc.grpc.service');
  if (service === undefined) return method ?? system;
  return `${service}/${method ?? '*'}`;
}

function database(attributes: Attributes): string | undefined {
  const system = find(attributes, 'db.system.name', 'db.system');
  if (system === undefined) return undefined;
  const summary = find(attributes, 'db.query.summary');
  if (summary !== undefined) return summary;
  const parts = [find(attributes, 'db.operation.name', 'db.operation'), databaseTarget(attributes)];
  return parts.filter((part) => part !== undefined && part !== '').join(' ') || system;
}

function databaseTarget(attributes: Attributes): string | undefined {
  const namespace = find(attributes, 'db.namespace', 'db.name') ?? '';
  const inside = find(attributes, 'db.collection.name') ?? find(attributes, 'db.stored_procedure.name');
  if (inside !== undefined) return namespace === '' ? inside : `${namespace}.${inside}`;
  return namespace === '' ? server(attributes) : namespace;
}

function server(attributes: Attributes): string | undefined {
  const address = find(attributes, 'server.address');
  const port = find(attributes, 'server.port');
  return address === undefined || port === undefined ? address : `${address}:${port}`;
}

function messaging(attributes: Attributes): string | undefined {
  const system = find(attributes, 'messaging.system');
  if (system === undefined) return undefined;
  const operation = find(attributes, 'messaging.operation.name', 'messaging.operation');
  const destination = messagingDestination(attributes);
  if (destination === undefined || destination === '') return operation ?? system;
  return operation === undefined ? destination : `${operation} ${destination}`;
}

function messagingDestination(attributes: Attributes): string | undefined {
  if (attributes.get('messaging.destination.temporary') === true) return '(temporary)';
  if (attributes.get('messaging.destination.anonymous') === true) return '(anonymous)';
  return (
    find(attributes, 'messaging.destination.template') ??
    find(attributes, 'messaging.destination.name', 'messaging.destination') ??
    server(attributes)
  );
}
