import { describe, expect, test } from 'vitest';
import { countSamples } from '../../../src/otlp/count.js';
import { decodeRequest } from '../../../src/otlp/decode.js';
import { walkItemNodes } from '../../../src/otlp/item-walk.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { MalformedError } from '../../../src/otlp/malformed-error.js';
import { MessageNode } from '../../../src/otlp/message-node.js';
import { regroupByResource, splitBatch } from '../../../src/otlp/reshape.js';
import { validate } from '../../../src/otlp/validate.js';
import { field } from '../../../src/otlp/wire-reader.js';
import { oracleJson, reencode, withoutDefaults } from './support/oracle.js';
import { type Decoded, jsonOfDecoded, randomProfiles } from './support/profiles.js';
import { Random } from './support/random.js';

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed + 1);
const FIRST = field.delimited(1);
const SECOND = field.delimited(2);
const TIME = field.fixed64(3);
const PERIOD = field.varint(6);
const FORMAT = field.delimited(9);
const SAMPLE_TYPE = FIRST;
const STRINGS = field.delimited(5);
/** No version of OTLP has a field of this number. */
const UNKNOWN = field.delimited(500);

const encode = (model: Decoded): Uint8Array => fromJson('profiles', JSON.stringify(jsonOfDecoded(model)));
const decode = (bytes: Uint8Array) => decodeRequest('profiles', bytes) as Model;

interface Profile extends Decoded {
  readonly samples: readonly Decoded[];
  readonly sampleType: Decoded;
}
interface Model extends Decoded {
  readonly resourceProfiles: readonly {
    readonly scopeProfiles: readonly { readonly profiles: readonly Profile[] }[];
  }[];
  readonly dictionary: Decoded;
}

const profilesOf = ({ resourceProfiles }: Model): Profile[] =>
  resourceProfiles.flatMap(({ scopeProfiles }) => scopeProfiles.flatMap(({ profiles }) => profiles));
const samplesOf = (model: Model): Decoded[] => profilesOf(model).flatMap(({ samples }) => samples);

const MARK = Buffer.from('a field of tomorrow');
const addUnknown = (node: MessageNode): void =>
  node.append(UNKNOWN, (writer) => {
    writer.varint(UNKNOWN);
    writer.delimited(MARK);
  });

/** Puts a field that nobody knows on every group, profile and sample, on the dictionary and on the request. */
function withUnknownFields(bytes: Uint8Array): { bytes: Uint8Array; marks: number } {
  const request = new MessageNode(bytes);
  const nodes = [request, request.child(SECOND)];
  for (const resource of request.children(FIRST)) {
    nodes.push(resource);
    for (const scope of resource.children(SECOND)) {
      nodes.push(scope);
      for (const profile of scope.children(SECOND)) nodes.push(profile, ...profile.children(SECOND));
    }
  }
  for (const node of nodes) addUnknown(node);
  return { bytes: request.encode(), marks: nodes.length };
}

const marksIn = (bytes: Uint8Array): number =>
  Buffer.from(bytes).toString('latin1').split(String(MARK)).length - 1;

describe('random profiles', () => {
  test('decode to what was encoded, also by protobufjs and through OTLP/JSON', () => {
    let samples = 0;
    for (const seed of SEEDS) {
      const model = randomProfiles(new Random(seed)) as Model;
      const bytes = encode(model);
      expect(decode(bytes), `seed ${seed}`).toEqual(model);
      expect(withoutDefaults(oracleJson('profiles', bytes))).toEqual(withoutDefaults(jsonOfDecoded(model)));
      expect(withoutDefaults(JSON.parse(toJson('profiles', bytes)))).toEqual(
        withoutDefaults(jsonOfDecoded(model)),
      );
      expect(decode(reencode('profiles', bytes))).toEqual(model);
      expect(decode(fromJson('profiles', toJson('profiles', bytes)))).toEqual(model);
      const count = samplesOf(model).length;
      expect(countSamples(bytes)).toBe(count);
      expect(validate('profiles', bytes)).toBe(count);
      samples += count;
    }
    expect(samples).toBeGreaterThan(200);
  });

  test('read alike through views', () => {
    let seen = 0;
    for (const seed of SEEDS) {
      const model = randomProfiles(new Random(seed)) as Model;
      const bytes = encode(model);
      const profiles = profilesOf(model);
      let at = 0;
      walkItemNodes(bytes, (profile, resourceGroup, scopeGroup) => {
        const expected = profiles[at++]!;
        expect(profile.uint64(TIME), `seed ${seed}`).toBe(expected.timeUnixNano);
        expect(BigInt.asIntN(64, profile.uint64(PERIOD))).toBe(expected.period);
        expect(profile.text(FORMAT)).toBe(expected.originalPayloadFormat);
        expect(Buffer.from(profile.content(field.delimited(7))).toString('hex')).toBe(expected.profileId);
        expect(profile.look(SAMPLE_TYPE).uint32(field.varint(2))).toBe(expected.sampleType.unitStrindex);
        expect(profile.children(SECOND).map((sample) => sample.uint32(field.varint(1)))).toEqual(
          expected.samples.map(({ stackIndex }) => stackIndex),
        );
        expect(profile.isChanged || resourceGroup.isChanged || scopeGroup.isChanged).toBe(false);
        seen++;
      });
      expect(at).toBe(profiles.length);
    }
    expect(seen).toBeGreaterThan(50);
  });

  test('are edited through views as decoded objects are', () => {
    for (const seed of SEEDS) {
      const model = randomProfiles(new Random(seed)) as Model;
      const request = new MessageNode(encode(model));
      for (const resource of request.children(FIRST)) {
        for (const scope of resource.children(SECOND)) {
          for (const profile of scope.children(SECOND)) {
            profile.setInteger(TIME, 5n);
            profile.setText(FORMAT, 'edited');
            profile.child(SAMPLE_TYPE).setInteger(field.varint(1), 9n);
            profile.retain(SECOND, (sample) => sample.uint32(field.varint(3)) === 0);
          }
        }
      }
      request.child(SECOND).append(STRINGS, (writer) => {
        writer.varint(STRINGS);
        writer.string('added');
      });
      const expected = structuredClone(model) as unknown as {
        dictionary: { stringTable: string[] };
      } & Model;
      for (const profile of profilesOf(expected)) {
        Object.assign(profile, {
          timeUnixNano: 5n,
          originalPayloadFormat: 'edited',
          sampleType: { ...profile.sampleType, typeStrindex: 9 },
          samples: profile.samples.filter(({ linkIndex }) => linkIndex === 0),
        });
      }
      expected.dictionary.stringTable.push('added');
      expect(decode(request.encode()), `seed ${seed}`).toEqual(expected);
    }
  });

  test('keep unknown fields through edits, splits and regrouping', () => {
    let splits = 0;
    for (const seed of SEEDS) {
      const model = randomProfiles(new Random(seed)) as Model;
      const { bytes, marks } = withUnknownFields(encode(model));
      expect(marksIn(bytes), `seed ${seed}`).toBe(marks);
      expect(decode(bytes)).toEqual(model);
      expect(validate('profiles', bytes)).toBe(samplesOf(model).length);

      const request = new MessageNode(bytes);
      for (const resource of request.children(FIRST)) resource.setText(field.delimited(3), 'edited');
      expect(marksIn(request.encode())).toBe(marks);

      const parts = splitBatch('profiles', bytes, { maxItems: 1 });
      if (parts.length > 1) splits++;
      expect(parts.flatMap((part) => samplesOf(decode(part.bytes)))).toEqual(samplesOf(model));
      for (const part of parts) {
        // Indices point into the dictionary, so every part needs all of it.
        expect(decode(part.bytes).dictionary).toEqual(model.dictionary);
        expect(validate('profiles', part.bytes)).toBe(part.itemCount);
        expect(marksIn(part.bytes)).toBeGreaterThanOrEqual(5);
      }

      const regrouped = decode(regroupByResource(bytes));
      expect(samplesOf(regrouped)).toHaveLength(samplesOf(model).length);
      if (profilesOf(model).length > 0) expect(regrouped.dictionary).toEqual(model.dictionary);
    }
    expect(splits).toBeGreaterThan(10);
  });

  test('cut anywhere are refused, or are what stands before the cut', () => {
    let refused = 0;
    let accepted = 0;
    for (const seed of SEEDS) {
      const random = new Random(seed);
      const model = randomProfiles(random) as Model;
      const bytes = encode(model);
      for (let cut = 0; cut < 20; cut++) {
        const head = bytes.subarray(0, random.int(0, bytes.length - 1));
        try {
          const count = validate('profiles', head);
          accepted++;
          const left = samplesOf(decode(head));
          expect(left).toEqual(samplesOf(model).slice(0, count));
        } catch (error) {
          if (!(error instanceof MalformedError)) throw error;
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect(accepted).toBeGreaterThan(0);
  });
});
