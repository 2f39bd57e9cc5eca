/**
 * Compares Kindling with a real Collector on the wire, probe by probe (test/helpers/wire), and prints where they differ.
 *
 *     tsx scripts/wire.ts [group…]            compare with the recorded answers
 *     tsx scripts/wire.ts --record [group…]   probe the Collector (build/otelcol/reference) and record its answers first
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { sameAnswer } from '../test/helpers/wire/compare.js';
import { WIRE_GROUPS } from '../test/helpers/wire/groups.js';
import type { WireAnswers } from '../test/helpers/wire/probe.js';
import { startKindling, startReference } from '../test/helpers/wire/programs.js';

const args = process.argv.slice(2);
const wanted = args.filter((arg) => !arg.startsWith('--'));
const isRecording = args.includes('--record');
const groups = Object.entries(WIRE_GROUPS).filter(([name]) => wanted.length === 0 || wanted.includes(name));
const fileOf = (name: string): URL => new URL(`../test/golden/wire/${name}.json`, import.meta.url);

if (isRecording) {
  const reference = await startReference();
  for (const [name, make] of groups) {
    const lines: string[] = [];
    for (const probe of make()) {
      lines.push(`${JSON.stringify(probe.id)}: ${JSON.stringify(await reference.ask(probe))}`);
    }
    writeFileSync(fileOf(name), `{\n${lines.join(',\n')}\n}\n`);
  }
  await reference.stop();
}

const kindling = await startKindling();
for (const [name, make] of groups) {
  const recorded = JSON.parse(readFileSync(fileOf(name), 'utf8')) as WireAnswers;
  const probes = make();
  let different = 0;
  for (const probe of probes) {
    const answer = await kindling.ask(probe);
    if (sameAnswer(recorded[probe.id]!, answer)) continue;
    different++;
    console.log(
      `${name}: ${probe.id}\n  Collector ${JSON.stringify(recorded[probe.id])}\n  Kindling  ${JSON.stringify(answer)}`,
    );
  }
  console.log(`${name}: ${probes.length} probes, ${different} different`);
}
await kindling.stop();
