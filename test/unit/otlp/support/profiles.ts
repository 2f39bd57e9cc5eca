/** Random profiles in the form that `decodeRequest` gives, and the same in OTLP/JSON. */
import type { Random } from './random.js';

/** A message as `decodeRequest` gives it: ids in hex, 64-bit integers as bigint, attributes as an object. */
export type Decoded = { readonly [name: string]: unknown };

const index = (random: Random) => random.pick([0, 1, 127, 128, 300, 2 ** 31 - 1]);
const indices = (random: Random) => random.list(6, () => index(random));
const signed = (random: Random) =>
  random.pick([0n, 1n, -1n, 300n, 2n ** 40n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]);
const unsigned = (random: Random) => random.pick([0n, 1n, 127n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 64n - 1n]);
const value = (random: Random) => random.pick([true, 2n ** 62n, -(2n ** 60n), 0.5, random.text()]);

function attributes(random: Random): Decoded {
  const keys = random.list(3, () => random.text() || 'k').filter((key) => !/^\d+$/.test(key));
  return Object.fromEntries(keys.map((key) => [key, value(random)]));
}

const valueType = (random: Random): Decoded => ({ typeStrindex: index(random), unitStrindex: index(random) });

const sample = (random: Random): Decoded => ({
  stackIndex: index(random),
  attributeIndices: indices(random),
  linkIndex: index(random),
  values: random.list(5, () => signed(random)),
  timestampsUnixNano: random.list(5, () => unsigned(random)),
});

const profile = (random: Random): Decoded => ({
  sampleType: valueType(random),
  samples: random.list(6, () => sample(random)),
  timeUnixNano: unsigned(random),
  durationNano: unsigned(random),
  periodType: valueType(random),
  period: signed(random),
  profileId: random.chance(0.8) ? random.hex(16) : '',
  droppedAttributesCount: random.pick([0, 5, 2 ** 32 - 1]),
  originalPayloadFormat: random.pick(['', 'pprof', 'jfr']),
  originalPayload: random.bytes(random.pick([0, 1, 130])),
  attributeIndices: indices(random),
});

const dictionary = (random: Random): Decoded => ({
  mappingTable: random.list(3, () => ({
    memoryStart: unsigned(random),
    memoryLimit: unsigned(random),
    fileOffset: unsigned(random),
    filenameStrindex: index(random),
    attributeIndices: indices(random),
  })),
  locationTable: random.list(4, () => ({
    mappingIndex: index(random),
    address: unsigned(random),
    lines: random.list(2, () => ({
      functionIndex: index(random),
      line: signed(random),
      column: signed(random),
    })),
    attributeIndices: indices(random),
  })),
  functionTable: random.list(4, () => ({
    nameStrindex: index(random),
    systemNameStrindex: index(random),
    filenameStrindex: index(random),
    startLine: signed(random),
  })),
  linkTable: random.list(2, () => ({ traceId: random.hex(16), spanId: random.hex(8) })),
  stringTable: ['', ...random.list(8, () => random.text())],
  attributeTable: random.list(4, () => ({
    keyStrindex: index(random),
    value: value(random),
    unitStrindex: index(random),
  })),
  stackTable: random.list(4, () => ({ locationIndices: indices(random) })),
});

/** Up to three resources with up to three scopes each. */
export function randomProfiles(random: Random): Decoded {
  return {
    resourceProfiles: random.list(3, () => ({
      resource: {
        attributes: attributes(random),
        droppedAttributesCount: random.pick([0, 4]),
        entityRefs: [],
      },
      scopeProfiles: random.list(3, () => ({
        scope: {
          name: random.text(),
          version: random.text(),
          attributes: attributes(random),
          droppedAttributesCount: random.pick([0, 70_000]),
        },
        profiles: random.list(3, () => profile(random)),
        schemaUrl: random.pick(['', 'https://example.com/schema']),
      })),
      schemaUrl: random.pick(['', 'https://example.com/schema']),
    })),
    dictionary: dictionary(random),
  };
}

/** The same message in OTLP/JSON, every field written out. */
export function jsonOfDecoded(message: unknown): unknown {
  if (typeof message === 'bigint') return String(message);
  if (message instanceof Uint8Array) return Buffer.from(message).toString('base64');
  if (Array.isArray(message)) return message.map(jsonOfDecoded);
  if (typeof message !== 'object' || message === null) return message;
  return Object.fromEntries(
    Object.entries(message).map(([name, inner]) => {
      if (name === 'value') return [name, anyValue(inner)];
      if (name !== 'attributes') return [name, jsonOfDecoded(inner)];
      const pairs = Object.entries(inner as Decoded);
      return [name, pairs.map(([key, one]) => ({ key, value: anyValue(one) }))];
    }),
  );
}

function anyValue(inner: unknown): unknown {
  if (typeof inner === 'boolean') return { boolValue: inner };
  if (typeof inner === 'bigint') return { intValue: String(inner) };
  return typeof inner === 'number' ? { doubleValue: inner } : { stringValue: inner };
}
