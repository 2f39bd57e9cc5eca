// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration language
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { withRecording } from '../../../src/cli/record.js';
import { withReplay } from '../../../src/cli/replay.js';
import { loadConfig } from '../../../src/config/load.js';
import { toPlain } from '../../../src/config/node.js';
import { dispatch } from '../../../src/main.js';

const NOP = `
receivers: {nop: }
exporters: {nop: }
service: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}
`;
let folder: string;
let config: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kindling-cli-'));
  config = join(folder, 'config.yaml');
  await writeFile(config, NOP);
});
afterAll(() => rm(folder, { recursive: true }));

async function run(args: readonly string[], env: Record<string, string> = {}) {
  let out = '';
  let err = '';
  const code = await dispatch(args, {
    env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

describe('kindling', () => {
  it('runs for as long as it is told and ends well', async () => {
    const { code, err } = await run(['--config', config, '--run-seconds', '0.01']);
    expect(code).toBe(0);
    const messages = err.split('\n').map((line) => line.split('\t')[2]);
    expect(messages).toEqual(
      expect.arrayContaining([
        'Starting kindling...',
        'Everything is ready. Begin running and processing data.',
        'Starting shutdown...',
        'Shutdown complete.',
      ]),
    );
  });

  it('leaves no listener behind', async () => {
    const count = () => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
    const before = count();
    await run(['--config', config, '--run-seconds', '0.01']);
    expect(count()).toBe(before);
  });

  it('warns of what the configuration refers to and does not find', async () => {
    const { err } = await run(
      ['--config', config, '--set', 'service.telemetry.logs.level=${env:LEVEL}', '--run-seconds', '0'],
      {
        LEVEL: '',
      },
    );
    expect(err).toContain('Configuration references empty environment variable');
  });

  it.each([
    [[], 2, 'Error: at least one config flag must be provided\n'],
    [['--config', 'foo:bar'], 2, 'Error: unsupported scheme on URI "foo:bar"\n'],
    [
      ['--config', 'x', '--set', 'foo:bar'],
      2,
      'Error: invalid argument "foo:bar" for "--set" flag: missing equal sign\n',
    ],
    [['--nosuch'], 2, 'Error: unknown flag: --nosuch\n'],
    [['-x'], 2, "Error: unknown shorthand flag: 'x' in -x\n"],
    [['--config'], 2, 'Error: flag needs an argument: --config\n'],
    [['validate', 'extra'], 2, 'Error: accepts 0 arg(s), received 1\n'],
    [['featuregate', 'a', 'b'], 2, 'Error: accepts at most 1 arg(s), received 2\n'],
    [['featuregate', 'nope'], 1, 'Error: feature "nope" not found\n'],
    [
      ['--config', 'x', '--run-seconds', 'soon'],
      2,
      'Error: invalid argument "soon" for "--run-seconds" flag: expected a number\n',
    ],
    [['nosuch'], 2, 'Error: unknown command "nosuch" for "kindling"\nRun \'kindling --help\' for usage.\n'],
    [
      ['__proto__'],
      2,
      'Error: unknown command "__proto__" for "kindling"\nRun \'kindling --help\' for usage.\n',
    ],
    [['record', '--config', 'x'], 2, 'Error: accepts 1 arg(s), received 0\n'],
  ])('%j ends with %i', async (args, code, err) => {
    expect(await run(args)).toEqual({ code, out: '', err });
  });

  it('shows all problems of a configuration and does not start', async () => {
    const { code, err } = await run([
      '--config',
      `yaml:${NOP.replace('[nop]', '[nopp]')}`,
      '--set',
      'exporters.nop.x=1',
    ]);
    expect(code).toBe(2);
    expect(err).toContain("'nopexporter.Config' has invalid keys: x");
    expect(err).toContain(
      'invalid configuration: service::pipelines::traces: references receiver "nopp" which is not configured',
    );
    expect(err).toContain('did you mean "nop"?');
    expect(err).not.toContain('Starting');
  });

  it('prints version and help', async () => {
    expect((await run(['--version'])).out).toMatch(/^kindling version \d+\.\d+\.\d+\n$/);
    const help = (await run(['--help'])).out;
    for (const command of [
      'validate',
      'catch',
      'components',
      'print-config',
      'doctor',
      'record',
      'replay',
      'trace',
      'traces',
    ]) {
      expect(help).toContain(`\n  ${command} `);
    }
    expect((await run(['validate', '--help'])).out).toContain('kindling validate --config FILE');
  });
});

describe('kindling featuregate', () => {
  it('lists the gates, and says what one does', async () => {
    const { code, out } = await run(['featuregate']);
    expect(code).toBe(0);
    expect(out).toMatch(/^ID +Enabled {2}Stage {2}Description\n/);
    expect(out).toMatch(
      /^service\.AllowNoPipelines +false {4}Alpha {2}A configuration need not have pipelines/m,
    );
    expect(out).toMatch(/^service\.partialReloadReceivers +true {5}Beta {3}/m);
    expect((await run(['featuregate', 'service.profilesSupport'])).out).toBe(
      'Feature: service.profilesSupport\nEnabled: false\nStage: Alpha\n' +
        'Description: Allows pipelines of the signal profiles.\nFrom Version: v0.112.0\n',
    );
  });
});

describe('kindling validate', () => {
  it('says nothing of a good configuration', async () => {
    expect(await run(['validate', '--config', config])).toEqual({ code: 0, out: '', err: '' });
  });

  it('builds the pipelines in its head', async () => {
    const { code, err } = await run([
      'validate',
      '--config',
      config,
      '--set',
      'connectors.forward=',
      '--set',
      'service.pipelines.traces.exporters=[nop,forward]',
    ]);
    expect(code).toBe(2);
    expect(err).toContain(
      'Error: failed to build pipelines: connector "forward" used as exporter in [traces] pipeline but not used in any supported receiver pipeline',
    );
  });
});

describe('kindling print-config', () => {
  const secret = [
    '--config',
    config0(),
    '--set',
    'exporters.otlp_http.endpoint=http://localhost:1',
    '--set',
    'exporters.otlp_http.headers={authorization: hush}',
    '--set',
    'processors.batch.timeout=1500ms',
  ];

  it('prints all defaults as a user would write them, and no secret', async () => {
    const { code, out } = await run(['print-config', ...secret]);
    expect(code).toBe(0);
    expect(out).not.toContain('hush');
    expect(parse(out)).toMatchObject({
      receivers: { nop: {} },
      processors: { batch: { timeout: '1.5s', send_batch_size: 8192 } },
      exporters: { otlp_http: { headers: { authorization: '[REDACTED]' } } },
      service: { telemetry: { logs: { level: 'INFO', sampling: { tick: '10s' } } } },
    });
  });

  it('prints secrets only when asked, and JSON', async () => {
    const { out } = await run(['print-config', ...secret, '--mode', 'unredacted', '--format', 'json']);
    expect(JSON.parse(out)).toMatchObject({
      exporters: { otlp_http: { headers: { authorization: 'hush' } } },
    });
  });

  it('prints a configuration that can be read again', async () => {
    const { out } = await run(['print-config', '--config', config]);
    expect(await run(['validate', '--config', `yaml:${out}`])).toEqual({ code: 0, out: '', err: '' });
  });

  it('prints a bad one when told not to check it', async () => {
    const bad = ['--config', 'yaml:receivers: {nosuch: {a: 1}}'];
    expect((await run(['print-config', ...bad])).code).toBe(2);
    expect(parse((await run(['print-config', ...bad, '--validate=false'])).out)).toEqual({
      receivers: { nosuch: { a: 1 } },
    });
  });
});

/** The same text as `config`; a file does not exist yet when the cases are collected. */
function config0(): string {
  return `yaml:${NOP}`;
}

describe('kindling components', () => {
  it('lists each kind with the stability of each signal', async () => {
    const { out } = await run(['components']);
    const listed = parse(out) as Record<string, { name: string; stability: Record<string, string> }[]>;
    expect(listed.exporters?.map(({ name }) => name)).toContain('otlp_grpc');
    expect(listed.connectors?.find(({ name }) => name === 'forward')?.stability).toMatchObject({
      'traces-to-traces': 'Beta',
    });
  });
});

describe('record and replay', () => {
  const load = (yaml: string) => loadConfig({ uris: [`yaml:${yaml}`] }, { env: {}, note: () => {} });
  const EBPF = `
receivers: {ebpf: {url_query: full}, otlp: {protocols: {grpc: }}}
connectors: {forward: }
exporters: {nop: }
service:
  pipelines:
    traces: {receivers: [ebpf, otlp], exporters: [forward]}
    traces/2: {receivers: [forward], exporters: [nop]}
    logs: {receivers: [otlp], exporters: [nop]}
`;

  it('puts the recording in the place of the kernel', async () => {
    expect(toPlain(withReplay(await load(EBPF), '/tmp/r.kdl'))).toMatchObject({
      receivers: { replay: { file: '/tmp/r.kdl', url_query: 'full' } },
      service: {
        pipelines: {
          traces: { receivers: ['replay'], exporters: ['forward'] },
          'traces/2': { receivers: ['forward'] },
        },
      },
    });
    const replayed = toPlain(withReplay(await load(EBPF), 'r')) as {
      service: { pipelines: object };
      receivers: object;
    };
    expect(Object.keys(replayed.receivers)).toEqual(['replay']);
    expect(Object.keys(replayed.service.pipelines)).toEqual(['traces', 'traces/2']);
  });

  it('adds record_to to the one ebpf receiver', async () => {
    expect(toPlain(withRecording(await load(EBPF), '/tmp/r.kdl'))).toMatchObject({
      receivers: { ebpf: { url_query: 'full', record_to: '/tmp/r.kdl' } },
    });
  });

  it('say what is missing', async () => {
    expect(() =>
      withRecording(
        { kind: 'map', entries: new Map(), text: undefined, position: { source: '', line: 0, column: 0 } },
        'r',
      ),
    ).toThrow('exactly one "ebpf" receiver');
    const nop = await load(NOP);
    expect(() => withReplay(nop, 'r')).toThrow('replay needs a pipeline with an "ebpf" receiver');
  });
});
