/** Stack samples of a program that computes in one known function. */

import { expect, it } from 'vitest';
import { closeSessionsAfterEach, describeKernel, runProgram, Session } from '../helpers/kernel.js';

describeKernel('cpu', () => {
  closeSessionsAfterEach();

  it('samples what runs, with the stack that leads there', async () => {
    const session = new Session({
      cpu: { frequencyHz: 99 },
      rules: { selectByDefault: false, includeComms: ['burn'] },
    });
    const truth = await runProgram('burn', ['1000']);
    await session.settle();
    const samples = session.of('cpu_sample').filter((sample) => sample.time < truth.end);
    // One second of CPU time at 99 Hz; the clock ticks in CPU time, so a busy machine does not matter.
    expect(samples.length).toBeGreaterThan(70);
    expect(samples.length).toBeLessThan(130);
    for (const sample of samples) {
      expect(sample).toMatchObject({ tgid: truth.pid, tid: truth.tid, comm: 'burn' });
    }
    const within = (address: bigint | undefined, start: number, size: number) =>
      address !== undefined && Number(address) >= start && Number(address) < start + size;
    // Samples in the few instructions around a call see one frame less; what remains must be nearly all.
    const right = samples.filter(
      ({ userStack }) => within(userStack[0], truth.burnHere!, 64) && within(userStack[1], truth.main!, 400),
    );
    expect(right.length).toBeGreaterThan(samples.length * 0.8);
    expect(session.stats()).toMatchObject({ cpu_samples: session.of('cpu_sample').length, cpu_ring_full: 0 });
  });

  it('does not sample what is not watched, nor idleness', async () => {
    const session = new Session({ cpu: { frequencyHz: 499 }, rules: { selectByDefault: true } });
    await runProgram('sleep', ['100']);
    await session.settle();
    expect(
      session.of('cpu_sample').filter((sample) => sample.tgid === 0 || sample.tgid === process.pid),
    ).toEqual([]);
  });
});
