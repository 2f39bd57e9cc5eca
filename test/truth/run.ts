/**
 * `npx tsx test/truth/run.ts [NAME...]` (root; built agent): real programs under the real agent, at concurrency 1, 2
 * and 8, and how right it is about them. `--json FILE` writes the figures; `--keep DIR` keeps what the agent wrote. Exit
 * code 1: a program that has a goal missed it.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { printTable } from '../../bench/report.js';
import { observe } from './observe.js';
import { PROGRAMS } from './programs.js';
import { addSpan, classErrors, newScore, precision, recall, type Score } from './score.js';
import { SERVER } from './truth-span.js';

const CONCURRENCY = [1, 2, 8];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    keep: { type: 'string' },
    requests: { type: 'string', default: '120' },
  },
});
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
const us = (ns: number): string => `${(ns / 1000).toFixed(0)} us`;

const names = positionals.length > 0 ? positionals : PROGRAMS.map(({ name }) => name);
const figures: object[] = [];
const rows: (string | number)[][] = [['program', 'conc.', 'spans', 'told', 'precision', 'recall', 'goal']];
const details: string[] = [];
let failed = false;
for (const name of names) {
  const program = PROGRAMS.find((other) => other.name === name);
  if (program === undefined) throw new Error(`No program ${name}: one of ${PROGRAMS.map((p) => p.name)}`);
  const missing = program.missing();
  if (missing !== undefined) {
    console.log(`${name}: skipped, ${missing}`);
    continue;
  }
  for (const concurrency of CONCURRENCY) {
    const run = await observe(program, concurrency, Number(values.requests), values.keep);
    for (const kind of ['server', 'client'] as const) {
      const score = newScore();
      for (const truth of run.truth) {
        if ((truth.kind === SERVER) !== (kind === 'server')) continue;
        addSpan(score, truth, run.told.get(truth.trace + truth.span), program.rules);
      }
      const missed = precision(score) < program.precision || recall(score) < program.recall;
      failed ||= missed || score.spans === 0;
      rows.push([
        `${name} ${kind}`,
        concurrency,
        score.spans,
        score.toldSpans,
        percent(precision(score)),
        percent(recall(score)),
        missed ? `MISSED ${percent(program.precision)} ${percent(program.recall)}` : 'met',
      ]);
      details.push(...describe(`${name} ${kind}, concurrency ${concurrency}`, score));
      figures.push({
        name,
        kind,
        concurrency,
        spans: score.spans,
        told: score.toldSpans,
        precision: precision(score),
        recall: recall(score),
        errors: classErrors(score),
        evidence: Object.fromEntries(score.byEvidence),
        wrongNs: Object.fromEntries(score.wrong),
      });
    }
  }
}
printTable(rows);
console.log(details.join('\n'));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
process.exitCode = failed ? 1 : 0;

function describe(title: string, score: Score): string[] {
  const lines = [`\n${title}`];
  for (const { timeClass, within, p50, p99 } of classErrors(score)) {
    lines.push(
      `  ${timeClass.padEnd(9)} within 1 % or 100 us: ${percent(within)}   error p50 ${us(p50)}, p99 ${us(p99)}`,
    );
  }
  for (const [evidence, of] of score.byEvidence) {
    lines.push(
      `  ${evidence}: ${of.spans} spans, confidence ${of.confidence.toFixed(2)}, right ${percent(precision(of))}`,
    );
  }
  const wrong = [...score.wrong].sort((a, b) => b[1] - a[1]).slice(0, 6);
  for (const [what, ns] of wrong) lines.push(`  wrong: ${what}, ${us(ns)}`);
  return lines;
}
