/** The shape of OTLP/JSON profiles (opentelemetry-proto v1.11, profiles/v1development), as far as it is printed. */
import {
  type AnyValue,
  type Groups,
  groupOf,
  type KeyValue,
  type ResourceGroup,
  type ScopeGroup,
} from './otlp-json.js';

export interface Sample {
  readonly attributeIndices?: readonly number[];
  readonly values?: readonly string[];
}

export interface Profile {
  readonly profileId?: string;
  readonly samples?: readonly Sample[];
  readonly timeUnixNano?: string;
  readonly durationNano?: string;
  readonly droppedAttributesCount?: number;
  readonly attributeIndices?: readonly number[];
}

export interface Mapping {
  readonly memoryStart?: string;
  readonly memoryLimit?: string;
  readonly fileOffset?: string;
  readonly filenameStrindex?: number;
  readonly attributeIndices?: readonly number[];
}

export interface Location {
  readonly mappingIndex?: number;
  readonly address?: string;
  readonly lines?: readonly {
    readonly functionIndex?: number;
    readonly line?: string;
    readonly column?: string;
  }[];
  readonly attributeIndices?: readonly number[];
}

export interface ProfileFunction {
  readonly nameStrindex?: number;
  readonly systemNameStrindex?: number;
  readonly filenameStrindex?: number;
  readonly startLine?: string;
}

export interface AttributeEntry {
  readonly keyStrindex?: number;
  readonly value?: AnyValue;
  readonly unitStrindex?: number;
}

export interface Dictionary {
  readonly mappingTable?: readonly Mapping[];
  readonly locationTable?: readonly Location[];
  readonly functionTable?: readonly ProfileFunction[];
  readonly linkTable?: readonly { readonly traceId?: string; readonly spanId?: string }[];
  readonly stringTable?: readonly string[];
  readonly attributeTable?: readonly AttributeEntry[];
}

export interface ProfilesJson {
  readonly resourceProfiles?: readonly (ResourceGroup & {
    readonly scopeProfiles?: readonly (ScopeGroup & { readonly profiles?: readonly Profile[] })[];
  })[];
  readonly dictionary?: Dictionary;
}

export const profileGroups = ({ resourceProfiles = [], dictionary }: ProfilesJson): Groups<Profile>[] =>
  resourceProfiles
    .map((group) => groupOf(group, group.scopeProfiles, (scope) => scope.profiles))
    .map((group) => ({
      ...group,
      resource: withTexts(group.resource, dictionary?.stringTable),
      scopes: group.scopes.map((one) => ({ ...one, scope: withTexts(one.scope, dictionary?.stringTable) })),
    }));

/** Attributes of resources and scopes may name their keys and texts by number in the dictionary. */
function withTexts<T extends { readonly attributes?: readonly KeyValue[] }>(
  of: T,
  table: readonly string[] = [],
): T {
  return of.attributes === undefined
    ? of
    : { ...of, attributes: of.attributes.map((one) => resolved(one, table)) };
}

function resolved(attribute: KeyValue, table: readonly string[]): KeyValue {
  const { key = '', value, keyStrindex = 0 } = attribute as KeyValue & { readonly keyStrindex?: number };
  return {
    key: key === '' ? (table[keyStrindex] ?? '') : key,
    ...(value === undefined ? {} : { value: resolvedValue(value, table) }),
  };
}

function resolvedValue(value: AnyValue, table: readonly string[]): AnyValue {
  const { stringValueStrindex } = value as AnyValue & { readonly stringValueStrindex?: number };
  if (stringValueStrindex !== undefined) return { stringValue: table[stringValueStrindex] ?? '' };
  if (value.arrayValue?.values !== undefined) {
    return { arrayValue: { values: value.arrayValue.values.map((item) => resolvedValue(item, table)) } };
  }
  if (value.kvlistValue?.values !== undefined) {
    return { kvlistValue: { values: value.kvlistValue.values.map((item) => resolved(item, table)) } };
  }
  return value;
}
