/** What the programs cost by the kernel's own count, and what they leave out when they are told to. */
import { expect, it } from 'vitest';
import { SHED, STAT } from '../../src/receiver/ebpf/abi.gen.js';
import { closeSessionsAfterEach, describeKernel, runProgram, Session } from '../helpers/kernel.js';

const rules = { selectByDefault: false, includeComms: ['sleep', 'burn'] };

describeKernel('cost', () => {
  closeSessionsAfterEach();

  it('counts runs and time of each program while metering is on', async () => {
    const { capture } = new Session({ sched: {}, proc: {}, rules });
    const runsOf = () => {
      const costs = capture
        .costs()
        .filter(({ topic, program }) => `${topic} ${program}` === 'sched on_sched_switch');
      expect(costs).toHaveLength(1);
      return costs[0]!;
    };
    expect(capture.setMetering(true)).toBe(0);
    await runProgram('burn', ['50']);
    expect(capture.setMetering(false)).toBe(0);
    const counted = runsOf();
    expect(counted.runs).toBeGreaterThan(0);
    expect(counted.runTimeNs).toBeGreaterThan(counted.runs * 10);
    expect(capture.costs().map(({ topic }) => topic)).toEqual(expect.arrayContaining(['selection', 'proc']));
  });

  it('leaves out stack samples and short waits, counted, and gives them back', async () => {
    const session = new Session({ sched: {}, cpu: { frequencyHz: 499 }, rules });
    const { capture } = session;
    capture.setShed(SHED.STACKS | SHED.SCHED_DETAIL);
    await runProgram('burn', ['200']);
    await runProgram('sleep', ['20']);
    await session.settle();
    const shed = capture.stats().slice();
    expect(session.of('cpu_sample')).toEqual([]);
    expect(shed[STAT.CPU_SHED]).toBeGreaterThan(20);
    const waits = session.of('sched_wait');
    expect(waits.some((wait) => wait.time - wait.off > 15e6)).toBe(true);
    expect(waits.filter((wait) => wait.time - wait.off < 1e6)).toEqual([]);
    capture.setShed(0);
    await runProgram('burn', ['200']);
    await session.settle();
    expect(session.of('cpu_sample').length).toBeGreaterThan(20);
    expect(capture.stats()[STAT.CPU_SHED]).toBe(shed[STAT.CPU_SHED]);
  });
});
