/** Profiles of this process, read back with a decoder that knows nothing of the writer. */
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { afterEach, expect, it } from 'vitest';
import { pprofConfig } from '../../../src/extensions/pprof/config.js';
import { Pprof } from '../../../src/extensions/pprof/pprof.js';
import { testSettings } from '../../helpers/batches.js';
import { testHost } from '../../helpers/host.js';

/** The fields of github.com/google/pprof/proto/profile.proto that are used. */
const { root } = protobuf.parse(`
syntax = "proto3";
message Profile {
  repeated ValueType sample_type = 1; repeated Sample sample = 2; repeated Location location = 4;
  repeated Function function = 5; repeated string string_table = 6; int64 time_nanos = 9; int64 duration_nanos = 10;
  ValueType period_type = 11; int64 period = 12;
}
message ValueType { int64 type = 1; int64 unit = 2; }
message Sample { repeated uint64 location_id = 1; repeated int64 value = 2; }
message Location { uint64 id = 1; repeated Line line = 4; }
message Line { uint64 function_id = 1; int64 line = 2; }
message Function { uint64 id = 1; int64 name = 2; int64 system_name = 3; int64 filename = 4; int64 start_line = 5; }
`);

interface Profile {
  readonly sampleType: readonly { readonly type: number; readonly unit: number }[];
  readonly sample: readonly { readonly locationId: readonly number[]; readonly value: readonly number[] }[];
  readonly location: readonly {
    readonly id: number;
    readonly line: readonly { readonly functionId: number }[];
  }[];
  readonly function: readonly { readonly id: number; readonly name: number }[];
  readonly stringTable: readonly string[];
  readonly durationNanos: number;
  readonly period: number;
}

let extension: Pprof | undefined;
afterEach(() => extension?.shutdown());

async function start(): Promise<string> {
  extension = new Pprof(
    testSettings({ kind: 'extension', id: 'pprof' }),
    pprofConfig().parse({ endpoint: '127.0.0.1:0' }),
  );
  await extension.start(testHost());
  const { address } = extension;
  if (typeof address !== 'object' || address === null) throw new Error('it does not listen');
  return `http://127.0.0.1:${address.port}/debug/pprof`;
}

async function profileAt(url: string): Promise<Profile> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  const type = root.lookupType('Profile');
  const bytes = gunzipSync(Buffer.from(await response.arrayBuffer()));
  return type.toObject(type.decode(bytes), { longs: Number, defaults: true }) as Profile;
}

/** Function names of a sample, innermost first. Every reference must resolve. */
function stackOf(profile: Profile, locationIds: readonly number[]): string[] {
  return locationIds.map((id) => {
    const location = profile.location.find((one) => one.id === id)!;
    const found = profile.function.find((one) => one.id === location.line[0]!.functionId)!;
    return profile.stringTable[found.name]!;
  });
}

const typesOf = (profile: Profile) =>
  profile.sampleType.map(({ type, unit }) => `${profile.stringTable[type]}/${profile.stringTable[unit]}`);

it('profiles the CPU of a function that burns it', async () => {
  const url = await start();
  let isOver = false;
  const profiled = profileAt(`${url}/profile?seconds=0.6`).finally(() => {
    isOver = true;
  });
  let sink = 0;
  const burnSomeCpu = (): void => {
    for (let i = 0; i < 3e6; i++) sink += Math.sqrt(i);
  };
  while (!isOver) {
    burnSomeCpu();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const profile = await profiled;
  expect(sink).toBeGreaterThan(0);
  expect(typesOf(profile)).toEqual(['samples/count', 'cpu/nanoseconds']);
  expect(profile.stringTable[0]).toBe('');
  expect(profile.period).toBe(10_000_000);
  expect(profile.durationNanos).toBeGreaterThan(5e8);
  const stacks = profile.sample.map(({ locationId }) => stackOf(profile, locationId));
  expect(stacks.some(([leaf]) => leaf === 'burnSomeCpu')).toBe(true);
  expect(stacks.flat()).not.toContain('(idle)');
  for (const { value } of profile.sample) {
    expect(value).toHaveLength(2);
    expect(value[0]).toBeGreaterThan(0);
  }
});

it('shows what is alive on the heap', async () => {
  const url = await start();
  const keepAlive = (): object[] =>
    Array.from({ length: 200_000 }, (_, index) => ({ index, text: `n${index}` }));
  const kept = keepAlive();
  const profile = await profileAt(`${url}/heap`);
  expect(kept).toHaveLength(200_000);
  expect(typesOf(profile)).toEqual(['inuse_space/bytes']);
  const bytes = profile.sample
    .filter(({ locationId }) => stackOf(profile, locationId).includes('keepAlive'))
    .reduce((sum, { value }) => sum + value[0]!, 0);
  expect(bytes).toBeGreaterThan(2 ** 20);
});

it('refuses a second CPU profile at the same time, and nonsense', async () => {
  const url = await start();
  const first = fetch(`${url}/profile?seconds=0.3`);
  let second = await fetch(`${url}/profile?seconds=0.01`);
  while (second.status === 200) second = await fetch(`${url}/profile?seconds=0.01`);
  expect(await second.text()).toBe('Could not enable CPU profiling: cpu profiling already in use\n');
  expect((await first).status).toBe(200);
  expect((await fetch(`${url}/profile?seconds=x`)).status).toBe(400);
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
  expect(await (await fetch(`${url}/`)).text()).toContain('profile');
});
