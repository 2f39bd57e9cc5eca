/**
 * `include` and `exclude` of the processors that act on some items only.
 * Source of rules and sentences: OpenTelemetry Collector Contrib 0.159, internal/filter.
 */
import { GoRegExp } from '../go/regexp.js';
import { asString, fromConfigValue, plainDoubleText } from '../go/values.js';
import { getAttribute } from '../otlp/attribute-edit.js';
import type { MessageNode } from '../otlp/message-node.js';
import { kindName, readTypedValue, type TypedValue } from '../otlp/typed-value.js';
import { field } from '../otlp/wire-reader.js';
import type { MatchConfig, MatchProperties } from './config.js';

export type ItemKind = 'span' | 'log' | 'metric';

/** Whether an item matches. `resource` and `scope` are the messages, not their groups. */
export type Matcher = (item: MessageNode, resource: MessageNode, scope: MessageNode) => boolean;

const FIRST = field.delimited(1);
const SCOPE_VERSION = field.delimited(2);
const SPAN = { name: field.delimited(5), kind: field.varint(6), attributes: field.delimited(9) };
const LOG = {
  severityNumber: field.varint(2),
  severityText: field.delimited(3),
  body: field.delimited(5),
  attributes: field.delimited(6),
};

const KIND_NAMES = [
  'SPAN_KIND_UNSPECIFIED',
  'SPAN_KIND_INTERNAL',
  'SPAN_KIND_SERVER',
  'SPAN_KIND_CLIENT',
  'SPAN_KIND_PRODUCER',
  'SPAN_KIND_CONSUMER',
];

/** True for items that are to be processed. Throws an `Error` with the Collector's sentence. */
export function compileMatch(config: MatchConfig, kind: ItemKind): Matcher {
  const include = config.include === undefined ? undefined : compileProperties(config.include, kind);
  const exclude = isNothing(config.exclude, kind) ? undefined : compileProperties(config.exclude, kind);
  return (item, resource, scope) =>
    (include === undefined || include(item, resource, scope)) &&
    (exclude === undefined || !exclude(item, resource, scope));
}

/** Metrics are excluded by their names only; settings without any exclude nothing. */
const isNothing = (exclude: MatchProperties | undefined, kind: ItemKind): exclude is undefined => {
  if (exclude === undefined) return true;
  if (kind !== 'metric' || exclude.metric_names.length > 0) return false;
  checkFields(exclude, kind);
  return true;
};

function compileProperties(properties: MatchProperties, kind: ItemKind): Matcher {
  checkFields(properties, kind);
  const tests: Matcher[] = [];
  const texts = (list: readonly string[], what?: string) => {
    try {
      return compileTexts(list, properties.match_type);
    } catch (error) {
      if (what === undefined) throw error;
      throw new Error(`error creating ${what} filters: ${(error as Error).message}`);
    }
  };
  if (properties.services.length > 0) {
    const test = texts(properties.services, 'service name');
    tests.push((_item, resource) => {
      const name = getAttribute(resource, FIRST, 'service.name');
      return test(name === undefined ? '<nil-service-name>' : asString(name));
    });
  }
  if (properties.span_names.length > 0) {
    const test = texts(properties.span_names, 'span name');
    tests.push((item) => test(item.text(SPAN.name)));
  }
  if (properties.span_kinds.length > 0) {
    const test = texts(properties.span_kinds, 'span kind');
    tests.push((item) => test(KIND_NAMES[item.uint32(SPAN.kind)] ?? ''));
  }
  if (properties.metric_names.length > 0) {
    const test = texts(properties.metric_names);
    tests.push((item) => test(item.text(FIRST)));
  }
  tests.push(...logTests(properties, texts));
  for (const { name, version } of properties.libraries) {
    const isName = texts([name], 'library name');
    const isVersion = version === undefined ? undefined : texts([version], 'library version');
    tests.push(
      (_item, _resource, scope) =>
        isName(scope.text(FIRST)) && (isVersion === undefined || isVersion(scope.text(SCOPE_VERSION))),
    );
  }
  if (kind !== 'metric') {
    const resources = properties.resources.map((one) => compileAttribute(one, properties.match_type));
    tests.push((_item, resource) => resources.every((test) => test(resource, FIRST)));
    const attributes = properties.attributes.map((one) => compileAttribute(one, properties.match_type));
    const tag = kind === 'span' ? SPAN.attributes : LOG.attributes;
    tests.push((item) => attributes.every((test) => test(item, tag)));
  }
  return (item, resource, scope) => tests.every((test) => test(item, resource, scope));
}

function logTests(
  properties: MatchProperties,
  texts: (list: readonly string[], what?: string) => (text: string) => boolean,
): Matcher[] {
  const tests: Matcher[] = [];
  if (properties.log_bodies.length > 0) {
    const test = texts(properties.log_bodies, 'log record body');
    tests.push((item) => {
      const body = item.content(LOG.body);
      return test(asString(readTypedValue(body, 0, body.length)));
    });
  }
  if (properties.log_severity_texts.length > 0) {
    const test = texts(properties.log_severity_texts, 'log record severity text');
    tests.push((item) => test(item.text(LOG.severityText)));
  }
  const severity = properties.log_severity_number;
  if (severity !== undefined) {
    tests.push((item) => {
      const number = item.uint32(LOG.severityNumber);
      return number === 0 ? severity.match_undefined : number >= severity.min;
    });
  }
  return tests;
}

/** One of the texts. */
function compileTexts(list: readonly string[], matchType: string): (text: string) => boolean {
  if (matchType === 'strict') {
    const set = new Set(list);
    return (text) => set.has(text);
  }
  if (matchType !== 'regexp') throw unknownType(matchType);
  const patterns = list.map((source) => new GoRegExp(source));
  return (text) => patterns.some((pattern) => pattern.test(text));
}

const unknownType = (matchType: string): Error =>
  new Error(`unrecognized match_type: '${matchType}', valid types are: [regexp strict]`);

type AttributeTest = (node: MessageNode, tag: number) => boolean;

function compileAttribute(
  { key, value }: { readonly key: string; readonly value?: unknown },
  matchType: string,
): AttributeTest {
  if (key === '') {
    throw new Error("error creating attribute filters: can't have empty key in the list of attributes");
  }
  if (value === undefined || value === null) {
    return (node, tag) => getAttribute(node, tag, key) !== undefined;
  }
  const wanted = fromConfigValue(value);
  if (matchType === 'strict') {
    return (node, tag) => {
      const found = getAttribute(node, tag, key);
      return found !== undefined && isSame(found, wanted);
    };
  }
  if (matchType !== 'regexp') throw unknownType(matchType);
  if (typeof wanted !== 'string') {
    throw new Error(
      `error creating attribute filters: match_type=regexp for ${JSON.stringify(key)} only supports Str, but found ${kindName(wanted)}`,
    );
  }
  const test = compileTexts([wanted], matchType);
  return (node, tag) => {
    const found = getAttribute(node, tag, key);
    if (found === undefined || (typeof found === 'object' && found !== null) || found === null) return false;
    return test(typeof found === 'number' ? plainDoubleText(found) : String(found));
  };
}

/** Equal in type and value. */
function isSame(a: TypedValue, b: TypedValue): boolean {
  if (typeof a !== typeof b) return false;
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return kindName(a) === kindName(b) && asString(a) === asString(b);
}

function checkFields(properties: MatchProperties, kind: ItemKind): void {
  const has = (...names: (keyof MatchProperties)[]) =>
    names.some((name) => {
      const value = properties[name];
      return Array.isArray(value) ? value.length > 0 : value !== undefined;
    });
  if (kind === 'span') {
    for (const name of ['log_bodies', 'log_severity_texts', 'log_severity_number', 'metric_names'] as const) {
      if (has(name)) throw new Error(`${name} should not be specified for trace spans`);
    }
    if (!has('services', 'span_names', 'attributes', 'libraries', 'resources', 'span_kinds')) {
      throw new Error('at least one of "attributes", "libraries",  or "resources" field must be specified');
    }
    const unknown = properties.span_kinds.some((name) => !KIND_NAMES.slice(1).includes(name));
    if (properties.match_type === 'strict' && unknown) {
      // The Collector's list begins with as many empty names.
      throw new Error(
        `span_kinds string must match one of the standard span kinds when match_type=strict: [${' '.repeat(KIND_NAMES.length - 1)}${KIND_NAMES.slice(1).sort().join(' ')}]`,
      );
    }
  } else if (kind === 'log') {
    if (has('span_names', 'services', 'span_kinds', 'metric_names')) {
      throw new Error('services, span_names, span_kinds and metric_names are not valid for log records');
    }
    if (
      !has('attributes', 'libraries', 'resources', 'log_bodies', 'log_severity_texts', 'log_severity_number')
    ) {
      throw new Error(
        'at least one of "attributes", "libraries", "span_kinds", "resources", "log_bodies", "log_severity_texts" or "log_severity_number" field must be specified',
      );
    }
  } else {
    const others = ['log_bodies', 'log_severity_texts', 'span_names', 'services', 'span_kinds'] as const;
    if (has(...others, 'attributes', 'libraries', 'log_severity_number')) {
      throw new Error(
        '"span_names", "span_kinds", "log_bodies", "log_severity_texts", "log_severity_number", "services", "attributes" and "libraries" are not valid for metrics',
      );
    }
    if (!has('metric_names', 'resources')) {
      throw new Error('at least one of "metric_names" or "resources" field must be specified');
    }
  }
}
