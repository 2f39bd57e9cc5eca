/**
 * Which processes are looked at for TLS, and when: those that run when the agent starts, those that replace their
 * image (at once, and again when their libraries are loaded), and those whose connections look like TLS.
 *
 * Looking costs some 0.1 ms, so there is a budget; a process that goes without is looked at when it first speaks TLS.
 */
import type { SelectionRules } from '../../receiver/ebpf/native.js';
import type { TlsWatch } from '../observer.js';
import { readFolder, readText } from '../process/proc-files.js';
import type { TlsProbes } from './tls-probes.js';

/** Looks at processes that did nothing but start: per second. */
const SCANS_PER_SECOND = 100;
/** Times after an exec at which libraries are likely to be there. */
const AFTER_EXEC_MS = [0, 100, 1000] as const;
const MAX_QUEUED = 4096;
/** Time for one call of `work`. */
const WORK_MS = 5;
/** A process that speaks TLS and uses nothing known is looked at again after this long, doubling. */
const RETRY_MS = 250;
const MAX_RETRIES = 6;

interface Speaker {
  tries: number;
  next: number;
}

export class TlsDiscovery implements TlsWatch {
  /** Looks that the budget did not allow. */
  skipped = 0;
  readonly #probes: TlsProbes;
  readonly #now: () => number;
  /** Processes that speak TLS, to be looked at now. */
  readonly #urgent = new Set<number>();
  /** Others, with the time from which on they may be looked at. */
  readonly #later = new Map<number, { due: number; step: number }>();
  readonly #speakers = new Map<number, Speaker>();
  /** Nothing is looked at before there is something to attach. */
  #running = false;
  #budget = SCANS_PER_SECOND;
  #budgetAt: number;
  #sweptAt = 0;

  /** `now`: milliseconds, monotonic. */
  constructor(probes: TlsProbes, now: () => number = () => performance.now()) {
    this.#probes = probes;
    this.#now = now;
    this.#budgetAt = now();
  }

  /**
   * Begins with the processes that run: those that are named by pid now, those that the rules allow otherwise in the
   * next moments. Control groups are not asked: their processes are looked at when they speak TLS. Until this is called
   * nothing is looked at.
   */
  begin(rules: SelectionRules, root = '/proc', self = process.pid): void {
    this.#running = true;
    const { selectByDefault = true, includePids = [], excludePids = [] } = rules;
    const { includeComms = [], excludeComms = [] } = rules;
    for (const pid of includePids) this.#urgent.add(pid);
    const named = includeComms.length + excludeComms.length > 0;
    if (!selectByDefault && !named) return;
    for (const name of readFolder(root)) {
      const pid = Number(name);
      if (!/^\d+$/.test(name) || pid === self || excludePids.includes(pid)) continue;
      const command = named ? (readText(`${root}/${name}/comm`, 64)?.trimEnd() ?? '') : '';
      if (excludeComms.includes(command)) continue;
      if (selectByDefault || includeComms.includes(command)) this.#queue(pid, AFTER_EXEC_MS.length);
    }
  }

  handshake(tgid: number): void {
    if (!this.#running || this.#probes.uses(tgid)) return;
    const now = this.#now();
    let speaker = this.#speakers.get(tgid);
    if (speaker === undefined) {
      if (this.#speakers.size >= MAX_QUEUED) {
        const oldest = this.#speakers.keys().next();
        if (!oldest.done) this.#speakers.delete(oldest.value);
      }
      speaker = { tries: 0, next: 0 };
      this.#speakers.set(tgid, speaker);
    }
    if (speaker.tries >= MAX_RETRIES || now < speaker.next) return;
    speaker.next = now + RETRY_MS * 2 ** speaker.tries;
    speaker.tries++;
    this.#urgent.add(tgid);
    this.work();
  }

  /** A child that was forked from a process with probes uses them too. */
  used(tgid: number): void {
    if (!this.#probes.uses(tgid)) this.handshake(tgid);
  }

  exec(tgid: number): void {
    if (!this.#running) return;
    this.#speakers.delete(tgid);
    this.#probes.forget(tgid, this.#now());
    this.#queue(tgid, 0);
    this.work();
  }

  ended(tgid: number): void {
    this.#urgent.delete(tgid);
    this.#later.delete(tgid);
    this.#speakers.delete(tgid);
    this.#probes.forget(tgid, this.#now());
  }

  /** Looks at what is due. Call about every 20 ms. */
  work(): void {
    const start = this.#now();
    this.#budget = Math.min(
      SCANS_PER_SECOND,
      this.#budget + ((start - this.#budgetAt) * SCANS_PER_SECOND) / 1000,
    );
    this.#budgetAt = start;
    for (const pid of [...this.#urgent]) {
      this.#urgent.delete(pid);
      this.#probes.scan(pid, this.#now());
    }
    for (const [pid, entry] of this.#later) {
      if (this.#now() - start >= WORK_MS) break;
      const isInitial = entry.step === AFTER_EXEC_MS.length;
      if (entry.due > start || (this.#budget < 1 && !isInitial)) continue;
      this.#later.delete(pid);
      if (!isInitial) this.#budget--;
      if (this.#probes.scan(pid, this.#now()) && !this.#probes.uses(pid)) this.#queue(pid, entry.step + 1);
    }
    if (start - this.#sweptAt < 1000) return;
    this.#sweptAt = start;
    this.#probes.sweep(start);
  }

  /** Counters and gauges by name. */
  stats(): Record<string, number> {
    const { files, probes } = this.#probes.attached;
    return {
      tls_files_held: files,
      tls_probes_held: probes,
      tls_files_read: this.#probes.filesRead,
      tls_libraries_refused: this.#probes.refused,
      tls_attach_failures: this.#probes.attachFailures,
      tls_scans_skipped: this.skipped,
    };
  }

  #queue(pid: number, step: number): void {
    const delay = AFTER_EXEC_MS[step] ?? 0;
    if (step > AFTER_EXEC_MS.length) return;
    if (this.#later.size >= MAX_QUEUED) {
      this.skipped++;
      return;
    }
    this.#later.set(pid, { due: this.#now() + delay, step });
  }
}
