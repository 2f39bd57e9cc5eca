/** The hottest stack among CPU samples, by names: addresses differ within one function. */
import type { StoredSample } from './timeline-samples.js';
import type { Symbolizer } from './types.js';

export interface HotStack {
  /** Outermost first, `;`-joined, at most 1 KiB; outer frames are cut first and shown as `[...]`. */
  readonly text: string;
  readonly samples: number;
}

const MAX_BYTES = 1024;
const CUT = '[...]';
/** Symbolizing is the dear part of a profile; more samples than this do not change which stack is the hottest. */
const MAX_SAMPLES = 512;

/** Undefined when no sample has a stack. Ties go to the stack seen first. */
export function hotStack(
  samples: readonly { readonly tgid: number; readonly sample: StoredSample }[],
  symbolizer: Symbolizer,
): HotStack | undefined {
  const step = Math.max(1, Math.ceil(samples.length / MAX_SAMPLES));
  const byAddresses = new Map<string, { text: string }>();
  const counts = new Map<string, number>();
  for (let index = 0; index < samples.length; index += step) {
    const { tgid, sample } = samples[index]!;
    if (sample.userStack.length === 0 && sample.kernelStack.length === 0) continue;
    const key = `${tgid}|${sample.userStack.join()}|${sample.kernelStack.join()}`;
    let known = byAddresses.get(key);
    if (known === undefined) {
      known = { text: join(symbolizer.user(tgid, sample.userStack), symbolizer.kernel(sample.kernelStack)) };
      byAddresses.set(key, known);
    }
    counts.set(known.text, (counts.get(known.text) ?? 0) + 1);
  }
  let hottest: HotStack | undefined;
  for (const [text, count] of counts) {
    if (hottest === undefined || count * step > hottest.samples) {
      hottest = { text, samples: Math.min(count * step, samples.length) };
    }
  }
  return hottest;
}

function join(user: readonly string[], kernel: readonly string[]): string {
  const innermostFirst = [...kernel, ...user];
  const kept: string[] = [];
  let size = CUT.length;
  for (const name of innermostFirst) {
    const bytes = Buffer.byteLength(name) + 1;
    if (size + bytes > MAX_BYTES) {
      if (kept.length === 0) kept.push(Buffer.from(name).toString('utf8', 0, MAX_BYTES / 2));
      kept.push(CUT);
      break;
    }
    size += bytes;
    kept.push(name);
  }
  return kept.reverse().join(';');
}
