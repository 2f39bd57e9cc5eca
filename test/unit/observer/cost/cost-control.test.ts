import { describe, expect, it } from 'vitest';
import { CostControl, type GovernedCapture } from '../../../../src/observer/cost/cost-control.js';
import { ProcessShares } from '../../../../src/observer/cost/process-shares.js';
import { CaptureLogger } from '../../../helpers/capture-logger.js';

const SECOND = 1e9;

/** Programs that take `nsPerSecond` each while the kernel counts. */
class FakeCapture implements GovernedCapture {
  metering = false;
  refusal = 0;
  readonly masks: number[] = [];
  readonly #costs = { on_tcp_send: 0, on_sched_switch: 0 };

  run(ns: { on_tcp_send: number; on_sched_switch: number }): void {
    if (!this.metering) return;
    this.#costs.on_tcp_send += ns.on_tcp_send;
    this.#costs.on_sched_switch += ns.on_sched_switch;
  }

  setMetering(on: boolean): number {
    if (on && this.refusal !== 0) return this.refusal;
    this.metering = on;
    return 0;
  }

  setShed(mask: number): void {
    this.masks.push(mask);
  }

  costs() {
    const { on_tcp_send, on_sched_switch } = this.#costs;
    return [
      { topic: 'net', program: 'on_tcp_send', runTimeNs: on_tcp_send, runs: on_tcp_send / 1000 },
      { topic: 'sched', program: 'on_sched_switch', runTimeNs: on_sched_switch, runs: on_sched_switch / 500 },
    ];
  }
}

function controlOf(capture: FakeCapture, cpus: number) {
  const logger = new CaptureLogger();
  const serviceOf = (tgid: number): string => (tgid === 1 ? 'shop' : 'db');
  const control = new CostControl(capture, { cpus }, serviceOf, logger, { nowNs: 0, agentNs: 0 });
  return { control, entries: logger.lines };
}

describe('CostControl', () => {
  it('samples one second in ten and takes it for all of them', () => {
    const capture = new FakeCapture();
    const { control } = controlOf(capture, 0);
    let metered = 0;
    for (let second = 1; second <= 42; second++) {
      if (capture.metering) metered++;
      capture.run({ on_tcp_send: 20e6, on_sched_switch: 10e6 });
      for (let i = 0; i < 30; i++) control.count(i < 20 ? 1 : 2, 'net');
      control.count(2, 'sched');
      control.tick(second * SECOND, second * 0.1 * SECOND);
    }
    expect(metered).toBe(5);
    const { bpf, agentCpus, totalCpus } = control.report();
    expect(agentCpus).toBeCloseTo(0.1);
    expect(bpf.cpus).toBeCloseTo(0.03);
    expect(totalCpus).toBeCloseTo(0.13);
    // From the begin of the first sample to the end of the last: seconds 1 to 42.
    const time = Object.fromEntries(bpf.programs.map(({ program, cpuNs }) => [program, cpuNs]));
    expect(time.on_tcp_send).toBeCloseTo(41 * 20e6);
    expect(time.on_sched_switch).toBeCloseTo(41 * 10e6);
    const targets = Object.fromEntries(bpf.targets.map(({ service, cpuNs }) => [service, cpuNs]));
    expect(targets.shop).toBeCloseTo((41 * 20e6 * 2) / 3);
    expect(targets.db).toBeCloseTo(41 * (20e6 / 3 + 10e6));
  });

  it('leaves out more while the budget is exceeded and says so, then gives it back', () => {
    const capture = new FakeCapture();
    const { control, entries } = controlOf(capture, 0.5);
    let agentNs = 0;
    let nowNs = 0;
    const seconds = (count: number, cpus: number): void => {
      for (let i = 0; i < count; i++) {
        nowNs += SECOND;
        agentNs += cpus * SECOND;
        control.tick(nowNs, agentNs);
      }
    };
    seconds(12, 0.8);
    expect(capture.masks).toEqual([1, 3, 7]);
    expect(control.report()).toMatchObject({ level: 3, shed: 3, restored: 0 });
    seconds(88, 0.1);
    expect(capture.masks).toEqual([1, 3, 7, 3, 1, 0]);
    expect(control.report()).toMatchObject({ level: 0, shed: 3, restored: 3 });
    expect(entries.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn', 'info', 'info', 'info']);
    expect(entries[2]!.fields).toMatchObject({ left_out: 'payload', budget_cpus: 0.5, used_cpus: 0.8 });
  });

  it('counts the kernel programs against the budget', () => {
    const capture = new FakeCapture();
    const { control } = controlOf(capture, 0.5);
    for (let second = 1; second <= 12; second++) {
      capture.run({ on_tcp_send: 0.3 * SECOND, on_sched_switch: 0.1 * SECOND });
      control.tick(second * SECOND, second * 0.2 * SECOND);
    }
    expect(capture.masks.length).toBeGreaterThan(0);
  });

  it('goes on without the kernel counting, and tells it once', () => {
    const capture = new FakeCapture();
    capture.refusal = 1;
    const { control, entries } = controlOf(capture, 10);
    for (let second = 1; second <= 30; second++) control.tick(second * SECOND, 0);
    expect(entries).toHaveLength(1);
    expect(entries[0]!.fields).toMatchObject({ errno: 1 });
    expect(control.report().bpf).toEqual({ programs: [], targets: [], cpus: 0 });
  });
});

describe('ProcessShares', () => {
  it('divides each topic by its records, all of it', () => {
    const shares = new ProcessShares();
    for (let i = 0; i < 3; i++) shares.count(1, 'net');
    shares.count(2, 'net');
    shares.count(2, 'cpu');
    const costs = shares.divide({ net: 1000, sched: 500, cpu: 70 });
    expect(costs).toEqual([
      { tgid: 1, ns: 750 },
      { tgid: 2, ns: 320 },
    ]);
    expect(shares.divide({ net: 1000, sched: 0, cpu: 0 })).toEqual([]);
  });
});
