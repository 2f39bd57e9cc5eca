/** The control socket, asked as `kindling trace` asks it. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catchCommand } from '../../../src/cli/catch.js';
import { askCatch, askRecall } from '../../../src/control/control-client.js';
import { controlSocketPath } from '../../../src/control/socket-path.js';
import { Control } from '../../../src/extensions/control/control.js';
import { OBSERVER_KEY } from '../../../src/observer/observer-service.js';
import type { RecallQuestion } from '../../../src/observer/recall-types.js';
import type { CatchRequest } from '../../../src/observer/triggers/trigger-types.js';
import { testSettings } from '../../helpers/batches.js';
import { testHost } from '../../helpers/host.js';

let directory: string;
let path: string;
const started: Control[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kindling-control-'));
  path = join(directory, 'sub', 'control.sock');
});
afterEach(async () => {
  for (const control of started.splice(0)) await control.shutdown();
  rmSync(directory, { recursive: true });
});

const asked: RecallQuestion[] = [];
const caught: CatchRequest[] = [];
async function start(withObserver = true): Promise<Control> {
  const control = new Control(testSettings({ kind: 'extension', id: 'control' }), { path });
  started.push(control);
  const host = testHost();
  if (withObserver) {
    host.provide(OBSERVER_KEY, {
      join: () => Promise.resolve([]),
      recall: (question) => {
        asked.push(question);
        return Promise.resolve({ samples: [[{ offsetNs: 5, stack: ['main', 'work'] }]], omitted: 0 });
      },
      catch: (request) => {
        caught.push(request);
        const { name, traceId, count } = request;
        if (name === 'no') return Promise.resolve({ refused: 'Not now.', waiting: [] });
        return Promise.resolve({ waiting: [{ name, traceId, left: count }] });
      },
    });
  }
  await control.start(host);
  return control;
}

const QUESTION: RecallQuestion = { ranges: [{ tid: 7, from: '1700000000000000000', durationNs: 1000 }] };

function post(body: string, url = '/v1/recall'): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: path, path: url, method: 'POST' }, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode, text });
    });
    asking.on('error', reject).end(body);
  });
}

describe('the control socket', () => {
  it('hands a question to the observer and its answer back', async () => {
    await start();
    const answer = await askRecall(path, QUESTION);
    expect(answer).toEqual({ samples: [[{ offsetNs: 5, stack: ['main', 'work'] }]], omitted: 0 });
    expect(asked.at(-1)).toEqual(QUESTION);
  });

  it('hands on a request to catch spans', async () => {
    await start();
    const request = { name: 'GET /cart', traceId: 'AB'.repeat(16), count: 5, forMs: 1000 };
    const answer = await askCatch(path, request);
    expect(caught.at(-1)).toEqual({ ...request, traceId: 'ab'.repeat(16) });
    expect(answer).toEqual({ waiting: [{ name: 'GET /cart', traceId: 'ab'.repeat(16), left: 5 }] });
    expect(await askCatch(path, { name: 'no', count: 1, forMs: 1 })).toMatchObject({ refused: 'Not now.' });
  });

  it.each([
    ['{"count":1,"forMs":1}', 'name: a name or a trace id is needed'],
    ['{"name":"x","count":0,"forMs":1}', 'count'],
    ['{"name":"x","count":1,"forMs":1e12}', 'forMs'],
    ['{"traceId":"12","count":1,"forMs":1}', 'traceId: not 32 hex digits'],
  ])('refuses to catch by %s', async (body, text) => {
    await start();
    expect(await post(body, '/v1/catch')).toMatchObject({ status: 400, text: expect.stringContaining(text) });
  });

  it('runs for kindling catch', async () => {
    await start();
    const out: string[] = [];
    const io = { env: { KINDLING_CONTROL: path }, out: (text: string) => out.push(text), err: () => {} };
    expect(await catchCommand(['--name', 'GET /cart', '--count', '5', '--for', '2m'], io)).toBe(0);
    expect(caught.at(-1)).toEqual({ name: 'GET /cart', count: 5, forMs: 120_000 });
    expect(out.join('')).toBe('waiting for 5 of GET /cart\n');
    await catchCommand(['--trace-id', 'ab'.repeat(16)], io);
    expect(caught.at(-1)).toEqual({ traceId: 'ab'.repeat(16), count: 10_000, forMs: 600_000 });
    await expect(catchCommand(['--name', 'no'], io)).rejects.toThrow('Not now.');
    await expect(catchCommand([], io)).rejects.toThrow('Which spans?');
    await expect(catchCommand(['--name', 'x', '--count', '0'], io)).rejects.toThrow('--count "0"');
    await expect(catchCommand(['--name', 'x', '--for', 'soon'], io)).rejects.toThrow('--for "soon"');
    await expect(catchCommand(['--trace-id', 'xyz'], io)).rejects.toThrow('32 hex digits');
  });

  it('is for its user only', async () => {
    await start();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'sub')).mode & 0o777).toBe(0o700);
  });

  it('refuses what is no question', async () => {
    await start();
    expect(await post('{')).toMatchObject({ status: 400 });
    expect(await post('{"ranges":[{"tid":7,"from":"yesterday","durationNs":1}]}')).toMatchObject({
      status: 400,
      text: expect.stringContaining('ranges.0.from'),
    });
    expect(await post(`{"ranges":"${'x'.repeat(1_100_000)}"}`)).toMatchObject({ status: 400 });
    expect((await askRecall(path, QUESTION)).omitted).toBe(0);
  });

  it('says what is wrong to who asks', async () => {
    await expect(askRecall(path, QUESTION)).rejects.toThrow(`${path}: no agent listens there`);
    await start(false);
    await expect(askRecall(path, QUESTION)).rejects.toThrow('This agent does not observe the kernel.');
  });

  it('takes over a socket that nobody listens on, and leaves one alone that somebody does', async () => {
    await start();
    const second = await start();
    await second.shutdown();
    expect((await askRecall(path, QUESTION)).omitted).toBe(0);
    await started[0]?.shutdown();
    // As a killed agent leaves it: Node removes the file of a server that closes.
    const dead = createServer().listen(path);
    await new Promise((resolve) => dead.once('listening', resolve));
    writeFileSync(join(directory, 'keep'), '');
    dead.close();
    await start();
    expect((await askRecall(path, QUESTION)).omitted).toBe(0);
  });

  it('is where the environment says', () => {
    expect(controlSocketPath({ KINDLING_CONTROL: '/x' }, true)).toBe('/x');
    expect(controlSocketPath({}, true)).toBe('/run/kindling/control.sock');
    expect(controlSocketPath({ XDG_RUNTIME_DIR: '/run/user/7' }, false)).toBe(
      '/run/user/7/kindling/control.sock',
    );
    expect(controlSocketPath({}, false)).toBe('.kindling/control.sock');
  });
});
