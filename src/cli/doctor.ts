/** `kindling doctor`: what this machine lets Kindling see, by which means, what is missing and what that costs. */
import type { Probe } from '../receiver/ebpf/native.js';
import { LOCAL_STORE_DIRECTORY, SYSTEM_STORE_DIRECTORY } from '../store/layout.js';
import { type Check, diagnose, type Tier } from './doctor/diagnosis.js';
import { collectFacts, type Facts } from './doctor/facts.js';
import { renderDiagnosis } from './doctor/render.js';

export interface DoctorOptions {
  /** One JSON document instead of text; its fields are those of `DoctorReport`. */
  readonly json: boolean;
  /** The addon's face; `probe` may throw when the addon is not built or cannot be loaded. */
  readonly native: { probe(): Probe };
  /** Gets the text, with its last line break. */
  readonly out: (text: string) => void;
  /** Ports of the OTLP receiver. Default 4317 and 4318. */
  readonly ports?: readonly number[];
  /** Folders that the store may use, best first. */
  readonly stores?: readonly string[];
  /** Replaces what is read from the machine; for tests. */
  readonly facts?: Facts;
}

/** What `--json` prints. Fields are only ever added. */
export interface DoctorReport {
  readonly canRun: boolean;
  readonly tiers: readonly Tier[];
  readonly checks: readonly Check[];
  readonly facts: Facts;
  /** What the addon found; null when it could not be asked (then `checks` says why). */
  readonly probe: Probe | null;
}

const OTLP_PORTS = [4317, 4318];
const STORES = [SYSTEM_STORE_DIRECTORY, LOCAL_STORE_DIRECTORY];

/** Resolves with the exit code: 0 when at least one tier can run, else 1. Needs no privileges. */
export async function runDoctor(options: DoctorOptions): Promise<number> {
  const facts = options.facts ?? (await collectFacts(options.ports ?? OTLP_PORTS, options.stores ?? STORES));
  const probe = tryProbe(options.native);
  const diagnosis = diagnose(facts, probe);
  if (options.json) {
    const report: DoctorReport = { ...diagnosis, facts, probe: probe instanceof Error ? null : probe };
    options.out(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    options.out(renderDiagnosis(facts, diagnosis));
  }
  return diagnosis.canRun ? 0 : 1;
}

function tryProbe(native: DoctorOptions['native']): Probe | Error {
  try {
    return native.probe();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
