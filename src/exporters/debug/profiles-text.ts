/**
 * Profiles in the formats of the Collector's `verbosity: normal` and `detailed`: the tables of the dictionary by number, of
 * stacks only their samples.
 */
import { detailedGroups } from './detailed-text.js';
import { timeText, typedValue, valueText } from './go-format.js';
import { normalGroups } from './normal-text.js';
import {
  type Dictionary,
  type Location,
  type Mapping,
  type Profile,
  type ProfileFunction,
  type ProfilesJson,
  profileGroups,
  type Sample,
} from './profiles-json.js';

export const normalProfiles = (json: ProfilesJson): string =>
  normalGroups('Profiles', profileGroups(json), (profile) => {
    const { profileId = '', samples = [], attributeIndices = [] } = profile;
    const attributes = attributeIndices.map((index) => {
      const found = attributeAt(json.dictionary, index);
      return found === undefined ? missingAttribute(index) : `${found.key}=${valueText(found.value)}`;
    });
    return [[profileId, `samples=${samples.length}`, ...attributes].join(' ')];
  });

export function detailedProfiles(json: ProfilesJson): string {
  const { dictionary = {} } = json;
  const tables = [
    ...(dictionary.mappingTable ?? []).flatMap(mappingLines),
    ...(dictionary.locationTable ?? []).flatMap(locationLines),
    ...(dictionary.functionTable ?? []).flatMap(functionLines),
    ...attributeTableLines(dictionary),
    ...linkTableLines(dictionary),
    ...stringTableLines(dictionary),
  ];
  const groups = detailedGroups(
    { resource: 'ResourceProfiles', scope: 'ScopeProfiles', item: 'Profile' },
    profileGroups(json),
    (profile) => profileLines(profile, dictionary),
  );
  return tables.map((line) => `${line}\n`).join('') + groups;
}

function profileLines(profile: Profile, dictionary: Dictionary): string[] {
  const line = (name: string, value: string | number): string => `    ${name.padEnd(15)}: ${value}`;
  return [
    line('Profile ID', profile.profileId ?? ''),
    line('Start time', timeText(profile.timeUnixNano)),
    line('DurationNano', profile.durationNano ?? '0'),
    line('Dropped attributes count', profile.droppedAttributesCount ?? 0),
    ...(profile.samples ?? []).flatMap((sample, index) => [
      `    Sample #${index}`,
      ...sampleLines(sample, dictionary),
    ]),
  ];
}

function sampleLines({ values, attributeIndices = [] }: Sample, dictionary: Dictionary): string[] {
  const attributes = attributeIndices.map((index) => {
    const found = attributeAt(dictionary, index);
    return found === undefined ? missingAttribute(index) : `${found.key}: ${typedValue(found.value)}`;
  });
  return [
    `        Values: ${goList(values)}`,
    ...(attributes.length === 0 ? [] : ['        Attributes:']),
    ...attributes.map((text) => `             -> ${text}`),
  ];
}

const mappingLines = (mapping: Mapping, index: number): string[] => [
  `Mapping #${index}`,
  `    Memory start: ${mapping.memoryStart ?? '0'}`,
  `    Memory limit: ${mapping.memoryLimit ?? '0'}`,
  `    File offset: ${mapping.fileOffset ?? '0'}`,
  `    File name: ${mapping.filenameStrindex ?? 0}`,
  `    Attributes: ${goList(mapping.attributeIndices)}`,
];

const locationLines = (location: Location, index: number): string[] => [
  `Location #${index}`,
  `    Mapping index: ${location.mappingIndex ?? 0}`,
  `    Address: ${location.address ?? '0'}`,
  ...(location.lines ?? []).flatMap(({ functionIndex = 0, line = '0', column = '0' }, number) => [
    `    Line #${number}`,
    `        Function index: ${functionIndex}`,
    `        Line: ${line}`,
    `        Column: ${column}`,
  ]),
  `    Attributes: ${goList(location.attributeIndices)}`,
];

const functionLines = (of: ProfileFunction, index: number): string[] => [
  `Function #${index}`,
  `    Name: ${of.nameStrindex ?? 0}`,
  `    System name: ${of.systemNameStrindex ?? 0}`,
  `    Filename: ${of.filenameStrindex ?? 0}`,
  `    Start line: ${of.startLine ?? '0'}`,
];

/** Of the table of attributes a Collector prints the last entry alone. */
function attributeTableLines({ attributeTable = [] }: Dictionary): string[] {
  const last = attributeTable.at(-1);
  if (last === undefined) return [];
  return [
    'Attribute table:',
    `     -> Key: Int(${last.keyStrindex ?? 0})`,
    `     -> Value: Str(${valueText(last.value)})`,
    `     -> unit: Int(${last.unitStrindex ?? 0})`,
  ];
}

/** Of the table of links too. */
function linkTableLines({ linkTable = [] }: Dictionary): string[] {
  const last = linkTable.at(-1);
  if (last === undefined) return [];
  return [
    'Link table:',
    `     -> Trace ID: Str(${last.traceId ?? ''})`,
    `     -> Span ID: Str(${last.spanId ?? ''})`,
  ];
}

const stringTableLines = ({ stringTable = [] }: Dictionary): string[] =>
  stringTable.length === 0 ? [] : ['String table:', ...stringTable.map((text) => `    ${text}`)];

/** An entry of the table with its key as text; undefined when the index is beyond the table. */
function attributeAt(dictionary: Dictionary | undefined, index: number) {
  const entry = dictionary?.attributeTable?.[index];
  if (entry === undefined) return undefined;
  const { keyStrindex = 0, value } = entry;
  const key =
    dictionary?.stringTable?.[keyStrindex] ?? `[Missing Dictionary Key String Item #${keyStrindex}]`;
  return { key, value };
}

const missingAttribute = (index: number): string => `[Missing Dictionary AttributeTable Item #${index}]`;

/** `%d` of a Go slice. */
const goList = (numbers: readonly (number | string)[] = []): string => `[${numbers.join(' ')}]`;
