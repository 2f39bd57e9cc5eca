/** All functions by name. */
import type { ContextName } from '../context.js';
import { EDITORS } from './editors.js';
import type { ConverterDef, EditorDef } from './function.js';
import { PARSE_CONVERTERS } from './parse-converters.js';
import { TEXT_CONVERTERS } from './text-converters.js';
import { TEXT_EDITORS } from './text-editors.js';
import { TIME_CONVERTERS } from './time-converters.js';
import { TYPE_CONVERTERS } from './type-converters.js';

const ALL_EDITORS: Readonly<Record<string, EditorDef>> = { ...EDITORS, ...TEXT_EDITORS };
const ALL_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  ...TYPE_CONVERTERS,
  ...TEXT_CONVERTERS,
  ...PARSE_CONVERTERS,
  ...TIME_CONVERTERS,
};

/** Undefined for an unknown name. */
export const editorNamed = (name: string): EditorDef | undefined =>
  Object.hasOwn(ALL_EDITORS, name) ? ALL_EDITORS[name] : undefined;

/** Undefined for an unknown name, or one that this context does not have. */
export function converterNamed(name: string, context: ContextName): ConverterDef | undefined {
  if (name === 'IsRootSpan' && context !== 'span' && context !== 'spanevent') return undefined;
  return Object.hasOwn(ALL_CONVERTERS, name) ? ALL_CONVERTERS[name] : undefined;
}

export const editorNames = (): string[] => Object.keys(ALL_EDITORS).sort();
export const converterNames = (): string[] => Object.keys(ALL_CONVERTERS).sort();
