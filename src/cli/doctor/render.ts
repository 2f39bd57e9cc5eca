/** `kindling doctor` for people: fixed columns, no colour, at most 110 characters to a line. */
import type { Check, Diagnosis, Tier } from './diagnosis.js';
import type { Facts } from './facts.js';

const WIDTH = 110;
const TIER_NAMES = {
  network: 'network',
  scheduler: 'scheduler',
  cpu_stacks: 'CPU stacks',
  processes: 'processes',
  tls: 'TLS',
} as const;

export function renderDiagnosis(facts: Facts, diagnosis: Diagnosis): string {
  const shared = sharedReasons(diagnosis.tiers);
  const lines = [
    `Linux ${facts.kernelRelease} ${facts.arch}, Node.js ${facts.node}, ${facts.uid === 0 ? 'root' : `user ${facts.uid}`}`,
    '',
    'What will run',
    ...diagnosis.tiers.flatMap((tier) => renderTier(tier, shared)),
    ...(shared.length > 0 ? ['', 'What stops all of it', ...column('  ', '  ', shared)] : []),
    '',
    'What it needs',
    ...diagnosis.checks.flatMap(renderCheck),
    '',
    ...wrap(conclusion(diagnosis), ''),
  ];
  return `${lines.join('\n')}\n`;
}

/** Reasons that every tier gives; said once. */
function sharedReasons(tiers: readonly Tier[]): string[] {
  return (tiers[0]?.reasons ?? []).filter((reason) => tiers.every((tier) => tier.reasons.includes(reason)));
}

function renderTier(tier: Tier, shared: readonly string[]): string[] {
  const head = `  ${TIER_NAMES[tier.tier].padEnd(12)}${tier.state.padEnd(10)}`;
  const indent = ' '.repeat(head.length);
  const own = tier.reasons.filter((reason) => !shared.includes(reason));
  const paragraphs = [tier.variant, ...own, tier.cost].filter((text) => text !== '');
  return column(head, indent, paragraphs);
}

function renderCheck(check: Check): string[] {
  const head = `  ${check.state.padEnd(9)}${check.name.padEnd(24)}`;
  const indent = ' '.repeat(head.length);
  return column(
    head,
    indent,
    [check.value, check.effect].filter((text) => text !== ''),
  );
}

function column(head: string, indent: string, paragraphs: readonly string[]): string[] {
  const lines = paragraphs.flatMap((text) => wrap(text, indent));
  return lines.map((line, i) => (i === 0 ? head + line.slice(indent.length) : line));
}

function conclusion(diagnosis: Diagnosis): string {
  const off = diagnosis.tiers.filter((tier) => tier.state === 'off');
  if (!diagnosis.canRun)
    return 'Nothing of the kernel can be seen on this machine as things are. OTLP still passes through, and `replay` works.';
  if (off.length > 0)
    return `Kindling can run without: ${off.map((tier) => TIER_NAMES[tier.tier]).join(', ')}.`;
  const warned = diagnosis.checks.some((check) => check.state !== 'ok');
  return warned ? 'Kindling can run; see the warnings above.' : 'Kindling can run with everything it has.';
}

function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/)) {
    if (line !== indent && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  lines.push(line);
  return lines;
}
