/**
 * What the processors `attributes` and `resource` do to attributes.
 * Source of rules and sentences: OpenTelemetry Collector Contrib 0.159, internal/coreinternal/attraction.
 */
import type { Origin } from '../component/signal.js';
import { GoRegExp } from '../go/regexp.js';
import { fromConfigValue } from '../go/values.js';
import {
  deleteAttribute,
  getAttribute,
  getAttributes,
  retainAttributes,
  setAttribute,
} from '../otlp/attribute-edit.js';
import type { MessageNode } from '../otlp/message-node.js';
import type { TypedValue } from '../otlp/typed-value.js';
import type { ActionConfig } from './config.js';
import { convertValue, hashValue } from './convert.js';

/** Applies one action to the attributes in the fields `tag` of `node`. */
export type AttributeAction = (node: MessageNode, tag: number, origin: Origin) => void;

/** Throws an `Error` with the Collector's sentence when the action makes no sense. */
export function compileAction(config: ActionConfig, index: number): AttributeAction {
  const action = config.action.toLowerCase();
  const { key } = config;
  if (action === 'delete' || action === 'hash') {
    if (key === '' && config.pattern === '') {
      throw new Error(
        `error creating AttrProc due to missing required field (at least one of "key" and "pattern" have to be used) at the ${index}-th action`,
      );
    }
  } else if (key === '') {
    throw new Error(`error creating AttrProc due to missing required field "key" at the ${index}-th action`);
  }
  const fail = (what: string): never => {
    throw new Error(
      `error with key ${JSON.stringify(key)} (${index}-th action): error creating AttrProc${what}`,
    );
  };
  const refuse = (fields: string) => fail(`. Action "${action}" does not use ${fields}`);
  const pattern = () => {
    try {
      return new GoRegExp(config.pattern);
    } catch {
      return fail(`. Field "pattern" has invalid pattern: "${config.pattern}"`);
    }
  };
  const sources = sourceCount(config);
  if (action !== 'convert' && config.converted_type !== '') {
    refuse('the "converted_type" field. This must not be specified');
  }
  switch (action) {
    case 'insert':
    case 'update':
    case 'upsert': {
      if (sources === 0 && !isSet(config.default_value)) {
        fail(
          '. Either field "value", "from_attribute", "from_context", or "default_value" must be specified',
        );
      }
      if (sources > 1) fail(' due to multiple value sources being set');
      if (config.pattern !== '') refuse('the "pattern" field. This must not be specified');
      return writeAction(key, action, valueSource(config));
    }
    case 'delete':
    case 'hash': {
      if (isSet(config.value) || config.from_attribute !== '') {
        refuse('"value" or "from_attribute" field. These must not be specified');
      }
      const keys = config.pattern === '' ? undefined : pattern();
      return action === 'delete' ? deleteAction(key, keys) : hashAction(key, keys);
    }
    case 'extract': {
      if (sources > 0) refuse('a value source field. These must not be specified');
      if (config.pattern === '') fail(' due to missing required field "pattern" for action "extract"');
      const groups = pattern();
      if (groups.groupNames.length <= 1) fail('. Field "pattern" contains no named matcher groups');
      if (groups.groupNames.slice(1).includes('')) {
        fail('. Field "pattern" contains at least one unnamed matcher group');
      }
      return extractAction(key, groups);
    }
    case 'convert': {
      if (sources > 0 || config.pattern !== '') {
        refuse('value sources or "pattern" field. These must not be specified');
      }
      const type = config.converted_type;
      if (type === '') fail(' due to missing required field "converted_type" for action "convert"');
      if (type !== 'string' && type !== 'int' && type !== 'double') {
        return fail(` due to invalid value "${type}" in field "converted_type" for action "convert"`);
      }
      return (node, tag) => {
        const value = getAttribute(node, tag, key);
        if (value === undefined) return;
        const converted = convertValue(value, type);
        if (converted !== value) setAttribute(node, tag, key, converted);
      };
    }
    default:
      return fail(` due to unsupported action ${JSON.stringify(action)}`);
  }
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null;

const sourceCount = (config: ActionConfig): number =>
  [isSet(config.value), config.from_attribute !== '', config.from_context !== ''].filter(Boolean).length;

type ValueSource = (node: MessageNode, tag: number, origin: Origin) => TypedValue | undefined;

function valueSource(config: ActionConfig): ValueSource {
  if (isSet(config.value)) {
    const value = fromConfigValue(config.value);
    return () => value;
  }
  const fallback = isSet(config.default_value) ? fromConfigValue(config.default_value) : undefined;
  const { from_attribute: from } = config;
  if (config.from_context === 'client.address') {
    return (_node, _tag, origin) => origin.connection?.remoteAddress ?? fallback;
  }
  if (from !== '') return (node, tag) => getAttribute(node, tag, from) ?? fallback;
  return () => fallback;
}

function writeAction(
  key: string,
  action: 'insert' | 'update' | 'upsert',
  source: ValueSource,
): AttributeAction {
  return (node, tag, origin) => {
    const value = source(node, tag, origin);
    if (value === undefined) return;
    if (action !== 'upsert' && (getAttribute(node, tag, key) === undefined) === (action === 'update')) return;
    setAttribute(node, tag, key, value);
  };
}

function deleteAction(key: string, keys: GoRegExp | undefined): AttributeAction {
  return (node, tag) => {
    if (getAttribute(node, tag, key) !== undefined) deleteAttribute(node, tag, key);
    if (keys === undefined) return;
    for (const found of getAttributes(node, tag).keys()) {
      if (!keys.test(found)) continue;
      retainAttributes(node, tag, (one) => !keys.test(one));
      return;
    }
  };
}

function hashAction(key: string, keys: GoRegExp | undefined): AttributeAction {
  return (node, tag) => {
    const value = getAttribute(node, tag, key);
    if (value !== undefined) setAttribute(node, tag, key, hashValue(value));
    if (keys === undefined) return;
    for (const [found, one] of getAttributes(node, tag)) {
      if (keys.test(found)) setAttribute(node, tag, found, hashValue(one));
    }
  };
}

function extractAction(key: string, pattern: GoRegExp): AttributeAction {
  return (node, tag) => {
    const value = getAttribute(node, tag, key);
    const groups = typeof value === 'string' ? pattern.match(value) : undefined;
    if (groups === undefined) return;
    for (let index = 1; index < groups.length; index++) {
      setAttribute(node, tag, pattern.groupNames[index]!, groups[index]!);
    }
  };
}
