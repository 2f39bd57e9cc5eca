/** Starts of programs and ends of threads. */

import { expect, it } from 'vitest';
import { closeSessionsAfterEach, describeKernel, runProgram, Session } from '../helpers/kernel.js';

describeKernel('proc', () => {
  closeSessionsAfterEach();

  it('reports a program start with its name and parent', async () => {
    const session = new Session({
      proc: {},
      rules: { selectByDefault: false, includeComms: ['exit-threads'] },
    });
    const truth = await runProgram('exit-threads');
    await session.settle();
    expect(session.of('proc_exec')).toHaveLength(1);
    expect(session.of('proc_exec')[0]).toMatchObject({
      tgid: truth.pid,
      parentTgid: process.pid,
      comm: 'exit-threads',
    });
    expect(session.of('proc_exec')[0]!.time).toBeLessThan(truth.end);
  });

  it('reports the end of each thread, and which was the last', async () => {
    const session = new Session({
      proc: {},
      rules: { selectByDefault: false, includeComms: ['exit-threads'] },
    });
    const truth = await runProgram('exit-threads');
    await session.settle();
    const exits = session.of('task_exit');
    expect(exits.map(({ tid, last }) => ({ tid, last }))).toEqual([
      { tid: truth.second, last: 0 },
      { tid: truth.pid, last: 1 },
    ]);
    expect(session.stats()).toMatchObject({ proc_events: 3, proc_ring_full: 0 });
  });

  it('reports how a program ended', async () => {
    const session = new Session({ proc: {}, rules: { selectByDefault: false, includeComms: ['fsync'] } });
    // fsync without its argument ends with status 2.
    await expect(runProgram('fsync')).rejects.toThrow('ended with 2');
    await session.settle();
    expect(session.of('task_exit')).toHaveLength(1);
    expect(session.of('task_exit')[0]).toMatchObject({ exitCode: 2 << 8, last: 1 });
  });
});
