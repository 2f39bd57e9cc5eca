/** Looks into zod schemas, for error sentences and documentation. Everything here tolerates schemas it does not know. */
import { z } from 'zod';
import type { $ZodType } from 'zod/v4/core';

/** How the Collector decodes a struct, which shows in its messages. */
export interface CollectorType {
  /** Go's name of the struct: `configgrpc.ServerConfig`. */
  readonly name: string;
  /** It may be left out (Go's `configoptional.Optional`): a value that is no map is reported one level further in. */
  readonly optional?: boolean;
  /** It decodes itself: what is wrong inside is reported one level further in. */
  readonly unmarshals?: boolean;
}

const COLLECTOR_TYPES = z.registry<CollectorType>();

/** Go's name of what `service.pipelines` lists. */
export const COMPONENT_ID = 'component.ID';

/** Gives `schema` the name that users of the Collector know from its error messages. Call it last in a chain. */
export function collectorType<T extends z.ZodType>(
  name: string,
  schema: T,
  how: Omit<CollectorType, 'name'> = {},
): T {
  COLLECTOR_TYPES.add(schema, { name, ...how });
  return schema;
}

/** What `collectorType` said of `schema` or of what it wraps. */
export function collectorStructOf(schema: $ZodType | undefined): CollectorType | undefined {
  for (const layer of layers(schema)) {
    const found = COLLECTOR_TYPES.get(layer);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The name given by `collectorType` to `schema` or to what it wraps. */
export const collectorTypeOf = (schema: $ZodType | undefined): string | undefined =>
  collectorStructOf(schema)?.name;

/** `schema` without default, optional and the like; for a codec or pipe, its input side. */
export function unwrap(schema: $ZodType | undefined): $ZodType | undefined {
  return layers(schema).at(-1);
}

/** Schema of the value at `path` below `schema`, or undefined. */
export function schemaAt(schema: $ZodType, path: readonly PropertyKey[]): $ZodType | undefined {
  let current: $ZodType | undefined = schema;
  for (const step of path) {
    const inner = unwrap(current);
    if (inner instanceof z.ZodObject) current = inner.shape[String(step)];
    else if (inner instanceof z.ZodRecord) current = inner.valueType;
    else if (inner instanceof z.ZodArray) current = inner.element;
    else if (inner instanceof z.ZodUnion) current = branchAt(inner, step);
    else return undefined;
  }
  return current;
}

/** Schema behind `step` in the branch of a union that has such steps: numbers in a list, others in a map. */
function branchAt(union: z.ZodUnion, step: PropertyKey): $ZodType | undefined {
  return union.options
    .filter((option) => unwrap(option) instanceof z.ZodArray === (typeof step === 'number'))
    .map((option) => schemaAt(option, [step]))
    .find((found) => found !== undefined);
}

/** Keys that an object schema knows; none for other schemas. */
export function knownKeys(schema: $ZodType | undefined): string[] {
  const inner = unwrap(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function layers(schema: $ZodType | undefined): $ZodType[] {
  const found: $ZodType[] = [];
  let current = schema;
  while (current !== undefined) {
    found.push(current);
    if (
      current instanceof z.ZodOptional ||
      current instanceof z.ZodNullable ||
      current instanceof z.ZodDefault ||
      current instanceof z.ZodPrefault ||
      current instanceof z.ZodReadonly ||
      current instanceof z.ZodCatch
    ) {
      current = current.def.innerType as $ZodType;
    } else if (current instanceof z.ZodPipe) current = current.def.in as $ZodType;
    else if (current instanceof z.ZodLazy) current = current.def.getter() as $ZodType;
    else break;
  }
  return found;
}
