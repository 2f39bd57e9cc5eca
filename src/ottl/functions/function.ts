import type { Getter, OttlContext } from '../context.js';
import type { Arguments } from './arguments.js';

/** Changes telemetry. */
export type Editor = (context: OttlContext) => void;

/** A function of the language. `build` is called once per call in the configuration; it throws for bad arguments. */
export interface FunctionDef<T> {
  /** Names in order; those that end in `?` may be left out. */
  readonly parameters: readonly string[];
  readonly build: (args: Arguments) => T;
}

export type EditorDef = FunctionDef<Editor>;
export type ConverterDef = FunctionDef<Getter>;
