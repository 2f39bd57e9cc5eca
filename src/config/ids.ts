import type { Signal } from '../component/signal.js';

/** `type` or `type/name`, as the Collector's `component.ID`. */
export interface ComponentId {
  readonly type: string;
  readonly name: string;
}

const TYPE = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/;
/** No separators, control characters or symbols. */
const NAME = /^[^\p{Z}\p{C}\p{S}]+$/u;
const MAX_NAME = 1024;

export const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs', 'profiles'];

/** The parts of an id, or the Collector's sentence that says what is wrong with it. */
export function parseComponentId(text: string): ComponentId | { readonly problem: string } {
  const slash = text.indexOf('/');
  const type = (slash < 0 ? text : text.slice(0, slash)).trim();
  const name = slash < 0 ? '' : text.slice(slash + 1).trim();
  if (type === '') {
    return {
      problem:
        slash < 0
          ? 'id must not be empty'
          : `in ${JSON.stringify(text)} id: the part before / should not be empty`,
    };
  }
  if (slash >= 0 && name === '') {
    return { problem: `in ${JSON.stringify(text)} id: the part after / should not be empty` };
  }
  if (!TYPE.test(type)) {
    return { problem: `in ${JSON.stringify(text)} id: invalid character(s) in type ${JSON.stringify(type)}` };
  }
  if (name.length > MAX_NAME) {
    return {
      problem: `in ${JSON.stringify(text)} id: name is longer than ${MAX_NAME} characters (${name.length})`,
    };
  }
  if (name !== '' && !NAME.test(name)) {
    return { problem: `in ${JSON.stringify(name)} id: invalid character(s) in name ${JSON.stringify(name)}` };
  }
  return { type, name };
}

/** Signal of a pipeline id (`traces` or `traces/name`), or the sentence that says what is wrong. */
export function parsePipelineId(text: string): { readonly signal: Signal } | { readonly problem: string } {
  const id = parseComponentId(text);
  if ('problem' in id) {
    const isType = id.problem.includes('invalid character(s) in type');
    const [type = ''] = text.split('/', 1);
    return isType
      ? { problem: `in ${JSON.stringify(text)} id: unknown pipeline signal: ${JSON.stringify(type.trim())}` }
      : id;
  }
  const signal = SIGNALS.find((candidate) => candidate === id.type);
  return signal === undefined
    ? { problem: `in ${JSON.stringify(text)} id: unknown pipeline signal: ${JSON.stringify(id.type)}` }
    : { signal };
}
