/**
 * Configurations, most of them wrong, that Kindling and a Collector are asked about. `collector.json` has the Collector's
 * answers; `npm run record:config-answers` asks it again. Only components that both have are used.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration language

export interface ConfigCase {
  readonly name: string;
  /** Contents of the files given by `--config`, in order. `@…` is not a file but the value of `--config`. */
  readonly files: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where to look in the effective configuration, when it is good: dots between keys. */
  readonly look?: readonly string[];
}

/** Sections as flow mappings; each may be replaced, `''` leaves it out. */
interface Parts {
  readonly receivers?: string;
  readonly processors?: string;
  readonly exporters?: string;
  readonly connectors?: string;
  readonly extensions?: string;
  readonly service?: string;
  readonly pipelines?: string;
  readonly telemetry?: string;
  readonly more?: string;
}

const RECEIVERS = '{otlp: {protocols: {grpc: {endpoint: "localhost:0"}}}}';
const EXPORTERS = '{debug: {}}';
const PIPELINES = '{traces: {receivers: [otlp], exporters: [debug]}}';

export function yaml(parts: Parts = {}): string {
  const sections = {
    receivers: RECEIVERS,
    processors: '',
    exporters: EXPORTERS,
    connectors: '',
    extensions: '',
    service: `{pipelines: ${parts.pipelines ?? PIPELINES}${parts.telemetry === undefined ? '' : `, telemetry: ${parts.telemetry}`}}`,
    ...parts,
  };
  const { pipelines: _pipelines, telemetry: _telemetry, more = '', ...rest } = sections;
  const lines = Object.entries(rest).filter(([, text]) => text !== '');
  return `${lines.map(([name, text]) => `${name}: ${text}`).join('\n')}\n${more}`;
}

const one = (name: string, parts: Parts, more: Partial<ConfigCase> = {}): ConfigCase => ({
  name,
  files: [yaml(parts)],
  ...more,
});

/** A setting of a component at each value: `field (value)`. */
const each = (
  what: string,
  values: readonly string[],
  parts: (value: string) => Parts,
  more: Partial<ConfigCase> = {},
): ConfigCase[] => values.map((value) => one(`${what}: ${value}`, parts(value), more));

const debug = (text: string): Parts => ({ exporters: `{debug: ${text}}` });
const batch = (text: string): Parts => ({ processors: `{batch: ${text}}` });
const limiter = (text: string): Parts => ({ processors: `{memory_limiter: ${text}}` });
const otlp = (text: string): Parts => ({ receivers: `{otlp: ${text}}` });
const grpcOut = (text: string): Parts => ({ exporters: `{debug: , otlp_grpc: ${text}}` });
const httpOut = (text: string): Parts => ({ exporters: `{debug: , otlp_http: ${text}}` });
const traces = (text: string): Parts => ({ pipelines: `{traces: ${text}}` });

/** What an environment variable may hold; the table of the Collector's documentation and more. */
const ENV_VALUES: Readonly<Record<string, string>> = {
  INT: '123',
  OCTAL: '0123',
  FLOAT: '1.5',
  EXP: '1e3',
  HEX: '0xdeadbeef',
  UNDERSCORE: '1_000',
  OCTAL2: '0o17',
  BINARY: '0b11',
  NEGATIVE: '-5',
  PLUS: '+5',
  TRUE: 'true',
  TRUE_UP: 'TRUE',
  YES: 'yes',
  ON: 'on',
  QUOTED: '"0123"',
  SINGLE: "'0123'",
  EMPTY: '',
  NULL: 'null',
  TILDE: '~',
  COMMENT: '# c',
  DURATION: '5s',
  COMMA: 'a,b',
  LIST: '[1,2]',
  TEXTLIST: '[a, b]',
  DASH: '- a',
  EMPTYMAP: '{}',
  MAP: 'a: b',
  DATE: '2006-01-02',
  TIME: '2006-01-02T15:04:05Z',
  DOLLARS: '$$FOO',
  DOLLAR: '$FOO',
  REFERENCE: '${env:INT}',
  ESCAPED: '$${env:INT}',
  TEXT: 'hello',
  COLON: 'a:b',
  BAD: '[1',
  SPACES: '  padded  ',
  INF: '.inf',
  NAN: '.nan',
  HASH: 'a#b',
  STAR: '*x',
};
const ENV_NAMES = Object.keys(ENV_VALUES);

const TYPED_FIELDS: readonly (readonly [kind: string, path: string, parts: (value: string) => Parts])[] = [
  ['string', 'exporters.otlp_grpc.endpoint', (v) => grpcOut(`{endpoint: ${v}}`)],
  ['int', 'exporters.debug.sampling_initial', (v) => debug(`{sampling_initial: ${v}}`)],
  ['bool', 'exporters.debug.use_internal_logger', (v) => debug(`{use_internal_logger: ${v}}`)],
  ['duration', 'processors.batch.timeout', (v) => batch(`{timeout: ${v}}`)],
  ['uint32', 'processors.memory_limiter.limit_mib', (v) => limiter(`{check_interval: 1s, limit_mib: ${v}}`)],
  ['list', 'processors.batch.metadata_keys', (v) => batch(`{metadata_keys: ${v}}`)],
];

function typing(): ConfigCase[] {
  return TYPED_FIELDS.flatMap(([kind, path, parts]) =>
    ENV_NAMES.map((name) =>
      one(`${kind} from ${name} (${ENV_VALUES[name]})`, parts(`"\${env:${name}}"`), { env: ENV_VALUES, look: [path] }),
    ),
  );
}

const ends = (text: string): Parts => grpcOut(`{endpoint: ${JSON.stringify(text)}}`);

/** Ways to write a reference, in a text field. */
const REFERENCES = [
  '${INT}',
  '${env:INT}',
  '${env:UNSET}',
  '${env:UNSET:-default}',
  '${env:UNSET:-}',
  '${env:UNSET:-a:b}',
  '${env:EMPTY:-default}',
  '${UNSET:-default}',
  '${env:1bad}',
  '${env:}',
  '${}',
  '${foo:bar}',
  '${x:bar}',
  '$INT',
  '$$INT',
  '$${INT}',
  '$$${INT}',
  '$$$${INT}',
  '${INT',
  'a}b',
  '${INT}}',
  'host:${env:INT}',
  '${env:INT}:${env:INT}',
  'pre-${env:OCTAL}-post',
  'pre-${env:UNSET}-post',
  'pre-${env:MAP}',
  'pre-${env:LIST}',
  'pre-${env:DOLLARS}',
  'pre-${env:REFERENCE}',
  '${env:${env:NAME}}',
  '${env:${NAME}}',
  '${env:UNSET:-${env:INT}}',
  '${env:REFERENCE}',
  '${env:ESCAPED}',
  '${yaml:1}',
  '${yaml: text}',
  '${yaml:{a: 1}}',
  '${file:/nosuch/file}',
  '${file:}',
  '${env:LOOP}',
  '${env:INT:-$x}',
  '${ENV:INT}',
  '${env: INT}',
  '${http://127.0.0.1:1/x}',
];

const IDS = ['debug/', '/x', '/', '""', '"de bug"', 'debug/a b', '"debug / x"', '1debug', 'de-bug', '"debug/x/y"', 'debug/\u00e4', '"debug/\u20ac"', `d${'x'.repeat(62)}`, `d${'x'.repeat(63)}`, 'nosuch', 'debgu', 'debug/ok', 'logging', '123', 'true', 'null', '~', '1.5', 'Debug'];

const PIPELINE_IDS = ['traces', 'spans', 'traces/', 'traces/x', '/x', '""', 'profiles', 'profiles/x', 'Traces', '"traces /x"', 'tra-ces', 'metrics', 'logs', '1'];

const ENDPOINTS = ['localhost:4317', 'localhost', '":4317"', '4317', '"4317"', '"localhost:"', '"localhost:bar"', '"localhost:70000"', '"localhost:-1"', '"[::1]:4317"', '"::1:4317"', '"http://localhost:4317"', '"https://localhost:4317/path"', '"unix:///tmp/x.sock"', '"dns:///localhost:4317"', '""', 'null', '[]', '{}', 'true', '1.5', '"localhost:0"', '"a b:1"'];

const DURATIONS = ['5s', '10', '1.5s', '-5s', '0', '"0"', 'abc', '""', '1h30m', '5', '5x', '"5 s"', 'true', '[]', '{}', 'null', '1e3', '100ms', '"1m1"', '.5s', '+5s', '1d', '99999999h'];

const INTS = ['5', '-5', '"5"', '1.5', '1e3', 'abc', 'true', 'null', '[]', '{}', '0x10', '010', '99999999999999999999', '1_000', '4294967296', '""'];

export const CASES: readonly ConfigCase[] = [
  one('good', {}),
  { name: 'no --config', files: [] },
  { name: 'empty file', files: [''] },
  { name: 'only a comment', files: ['# nothing\n'] },
  { name: 'null document', files: ['null\n'] },
  { name: 'empty map', files: ['{}\n'] },
  { name: 'a text', files: ['hello\n'] },
  { name: 'a number', files: ['5\n'] },
  { name: 'a list', files: ['- a\n- b\n'] },
  { name: 'a bool', files: ['true\n'] },
  { name: 'a float', files: ['1.5\n'] },
  { name: 'missing file', files: ['@/nosuch/file.yaml'] },
  { name: 'missing relative file', files: ['@nosuch.yaml'] },
  { name: 'missing file with scheme', files: ['@file:/nosuch/file.yaml'] },
  { name: 'a directory', files: ['@/tmp'] },
  { name: 'unknown scheme', files: ['@foo:bar'] },
  { name: 'single letter scheme', files: ['@c:bar'] },
  { name: 'empty --config', files: ['@'] },
  { name: 'yaml: provider', files: [yaml(), '@yaml:exporters::debug::verbosity: detailed'], look: ['exporters.debug.verbosity'] },
  { name: 'yaml: provider, not a map', files: [yaml(), '@yaml:text'] },
  { name: 'yaml: provider, bad', files: [yaml(), '@yaml:[1'] },
  { name: 'yaml: provider, empty', files: [yaml(), '@yaml:'] },
  { name: 'env: provider', files: ['@env:CFG'], env: { CFG: yaml() } },
  { name: 'env: provider, unset', files: ['@env:CFG'] },
  { name: 'env: provider, bad name', files: ['@env:1CFG'] },
  { name: 'http: provider that is away', files: ['@http://127.0.0.1:1/x'] },

  // YAML
  { name: 'yaml: duplicate key', files: [`${yaml()}exporters: {}\n`] },
  { name: 'yaml: duplicate nested key', files: ['exporters:\n  debug:\n  debug:\n'] },
  { name: 'yaml: tab', files: ['receivers:\n\totlp:\n'] },
  { name: 'yaml: unclosed list', files: ['receivers: [1\n'] },
  { name: 'yaml: unclosed map', files: ['receivers: {a: 1\n'] },
  { name: 'yaml: unclosed quote', files: ['receivers: "a\n'] },
  { name: 'yaml: bad indent', files: ['receivers:\n  otlp:\n exporters:\n'] },
  { name: 'yaml: mapping in a value', files: ['receivers: a: b\n'] },
  { name: 'yaml: unknown anchor', files: ['receivers: *nosuch\n'] },
  { name: 'yaml: list and map mixed', files: ['receivers:\n  - a\n  b: c\n'] },
  { name: 'yaml: node content', files: ['receivers: [}\n'] },
  { name: 'yaml: anchor and merge key', files: [`x: &d {verbosity: detailed}\n${yaml(debug('{<<: *d, sampling_initial: 3}'))}`] },
  { name: 'yaml: anchor and merge key in place', files: [yaml({ exporters: '{debug: &d {verbosity: detailed, sampling_initial: 7}, debug/2: {<<: *d, sampling_initial: 3}}' })], look: ['exporters.debug/2.verbosity', 'exporters.debug/2.sampling_initial'] },
  { name: 'yaml: alias', files: [yaml({ exporters: '{debug: &d {verbosity: detailed}, debug/2: *d}' })], look: ['exporters.debug/2.verbosity'] },
  { name: 'yaml: merge list', files: [yaml({ exporters: '{debug: &a {verbosity: detailed}, debug/1: &b {sampling_initial: 9}, debug/2: {<<: [*a, *b]}}' })], look: ['exporters.debug/2.verbosity', 'exporters.debug/2.sampling_initial'] },
  { name: 'yaml: merge of a text', files: [yaml({ exporters: '{debug: {<<: text}}' })] },
  { name: 'yaml: two documents', files: [`${yaml()}---\nfoo: bar\n`] },
  { name: 'yaml: document marker', files: [`---\n${yaml()}`] },
  { name: 'yaml: directive', files: [`%YAML 1.2\n---\n${yaml()}`] },
  { name: 'yaml: byte order mark', files: [`\ufeff${yaml()}`] },
  { name: 'yaml: windows lines', files: [yaml().replaceAll('\n', '\r\n')] },
  { name: 'yaml: number as key', files: [yaml({ more: '5: 6\n' })] },
  { name: 'yaml: map as key', files: [yaml({ more: '? {a: b}\n: c\n' })] },
  { name: 'yaml: tags', files: [yaml(debug('{sampling_initial: !!int "5", verbosity: !!str detailed}'))], look: ['exporters.debug.sampling_initial', 'exporters.debug.verbosity'] },
  { name: 'yaml: block texts', files: ['receivers:\n  otlp: {protocols: {grpc: {endpoint: "localhost:0"}}}\nexporters:\n  debug: {}\n  otlp_grpc:\n    endpoint: |-\n      localhost:4317\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n'], look: ['exporters.otlp_grpc.endpoint'] },

  // Sections
  one('unknown section', { more: 'nosuch: 1\n' }),
  one('two unknown sections', { more: 'nosuch: 1\nother: 2\n' }),
  one('section in capitals', { more: 'Processors: {}\n' }),
  ...(['receivers', 'processors', 'exporters', 'connectors', 'extensions', 'service'] as const).flatMap((section) => [
    one(`no ${section}`, { [section]: '' }),
    ...each(`section ${section}`, ['null', '{}', '[]', 'text', '5', 'true', '[a]', '[{a: b}]'], (value) => ({ [section]: value })),
  ]),
  ...each('exporter id', IDS, (id) => ({ exporters: `{debug: {}, ${id}: {}}` })),
  ...each('receiver id', ['nosuch', 'otlp/', 'otpl', 'otlp'], (id) => ({ receivers: `{otlp: {protocols: {grpc: }}, ${id === 'otlp' ? '"otlp "' : id}: {protocols: {grpc: }}}` })),
  ...each('processor id', ['nosuch', 'batch/', 'bacth'], (id) => ({ processors: `{${id}: {}}` })),
  ...each('connector id', ['nosuch', 'forward/', 'forwrad', 'forward'], (id) => ({ connectors: `{${id}: {}}` })),
  ...each('extension id', ['nosuch', 'zpages/', 'zpage', 'zpages'], (id) => ({ extensions: `{${id}: {}}` })),
  ...each('component', ['null', '{}', '[]', 'text', '5', 'true', '1.5', '[a]', '"${env:EMPTY}"', '"${env:MAP}"', '"${env:LIST}"', '"${env:TEXT}"'], debug, { env: ENV_VALUES }),

  // Service
  ...each('service with', ['{pipelines: }', '{pipelines: []}', '{pipelines: text}', '{foo: 1, pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}', '{extensions: text, pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}', '{extensions: , pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}', '{extensions: [zpages], pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}', '{extensions: [5], pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}', '{extensions: [zpages/], pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}'], (service) => ({ service })),
  one('extension twice', { extensions: '{zpages: {endpoint: "localhost:0"}}', service: `{extensions: [zpages, zpages], pipelines: ${PIPELINES}}` }),
  ...each('pipeline id', PIPELINE_IDS, (id) => ({ pipelines: `{${id}: {receivers: [otlp], exporters: [debug]}}` })),
  one('duplicate pipeline', { pipelines: '{traces: {receivers: [otlp], exporters: [debug]}, "traces ": {receivers: [otlp], exporters: [debug]}}' }),
  ...each('pipeline', ['null', '{}', '[]', 'text', '5', '{receivers: [otlp]}', '{exporters: [debug]}', '{receivers: [], exporters: [debug]}', '{receivers: [otlp], exporters: []}', '{receivers: otlp, exporters: [debug]}', '{receivers: [otlp], exporters: debug}', '{receivers: [otlp], processors: text, exporters: [debug]}', '{receivers: [otlp], processors: , exporters: [debug]}', '{receivers: {otlp: }, exporters: [debug]}', '{receivers: [otlp], exporters: [debug], foo: 1}', '{receivers: [otlp], exporter: [debug]}', '{receivers: [nosuch], exporters: [debug]}', '{receivers: [otlp], exporters: [nosuch]}', '{receivers: [otlp], processors: [nosuch], exporters: [debug]}', '{receivers: [otlp, otlp], exporters: [debug]}', '{receivers: [otlp], exporters: [debug, debug]}', '{receivers: [otlp/], exporters: [debug]}', '{receivers: [5], exporters: [debug]}', '{receivers: [[otlp]], exporters: [debug]}', '{receivers: [null], exporters: [debug]}', '{receivers: [""], exporters: [debug]}', '{receivers: ["otlp "], exporters: [" debug"]}', '{receivers: [otlp/x], exporters: [debug]}', '{receivers: [OTLP], exporters: [debug]}', '{receivers: ["${env:R}"], exporters: [debug]}', '{receivers: "${env:RS}", exporters: [debug]}', '{receivers: "${env:RC}", exporters: [debug]}'], traces, { env: { R: 'otlp', RS: '[otlp]', RC: 'otlp,otlp' } }),
  one('processor twice', { ...batch('{}'), pipelines: '{traces: {receivers: [otlp], processors: [batch, batch], exporters: [debug]}}' }),
  one('processor three times', { ...batch('{}'), pipelines: '{traces: {receivers: [otlp], processors: [batch, batch, batch], exporters: [debug]}}' }),
  one('unused components', { processors: '{batch: , memory_limiter: {check_interval: 1s, limit_mib: 5}}', exporters: '{debug: , nop: , otlp_grpc: {endpoint: "localhost:1"}}', extensions: '{zpages: }', connectors: '{forward: }' }),
  one('unused component with an error', grpcOut('{}')),
  one('exporter as receiver', traces('{receivers: [debug], exporters: [debug]}')),
  one('receiver as exporter', traces('{receivers: [otlp], exporters: [otlp]}')),

  // Connectors
  one('connector without receiver', { connectors: '{forward: }', pipelines: '{traces: {receivers: [otlp], exporters: [forward]}}' }),
  one('connector without exporter', { connectors: '{forward: }', pipelines: '{traces: {receivers: [forward], exporters: [debug]}}' }),
  one('connector between signals', { connectors: '{forward: }', pipelines: '{traces: {receivers: [otlp], exporters: [forward]}, metrics: {receivers: [forward], exporters: [debug]}}' }),
  one('connector with itself', { connectors: '{forward: }', pipelines: '{traces: {receivers: [forward], exporters: [forward]}}' }),
  one('connectors in a circle', { connectors: '{forward: , forward/2: }', pipelines: '{traces/1: {receivers: [otlp, forward/2], exporters: [forward]}, traces/2: {receivers: [forward], exporters: [forward/2]}}' }),
  one('connector', { connectors: '{forward: }', pipelines: '{traces/1: {receivers: [otlp], exporters: [forward]}, traces/2: {receivers: [forward], exporters: [debug]}}' }),
  one('connector with settings', { connectors: '{forward: {x: 1}}' }),
  one('connector not configured', { pipelines: '{traces: {receivers: [otlp], exporters: [forward]}}' }),

  // Components
  ...each('debug', ['{verbosty: detailed}', '{verbosity: loud}', '{verbosity: Detailed}', '{verbosity: 5}', '{verbosity: }', '{verbosity: ""}', '{verbosity: none}', '{sampling_initial: x}', '{sampling_initial: -1}', '{sampling_thereafter: 1.5}', '{use_internal_logger: yes}', '{use_internal_logger: "true"}', '{Verbosity: detailed}', '{output_paths: stdout}', '{output_paths: [stdout, stderr]}', '{a: 1, b: 2, c: 3}'], debug, { look: ['exporters.debug.sampling_initial', 'exporters.debug.sampling_thereafter', 'exporters.debug.use_internal_logger'] }),
  ...each('sampling_initial', INTS, (value) => debug(`{sampling_initial: ${value}}`), { look: ['exporters.debug.sampling_initial'] }),
  ...each('limit_mib', INTS, (value) => limiter(`{check_interval: 1s, limit_mib: ${value}}`), { look: ['processors.memory_limiter.limit_mib'] }),
  ...each('send_batch_size', INTS, (value) => batch(`{send_batch_size: ${value}}`), { look: ['processors.batch.send_batch_size'] }),
  ...each('batch timeout', DURATIONS, (value) => batch(`{timeout: ${value}}`), { look: ['processors.batch.timeout'] }),
  ...each('batch', ['{send_batch_max_size: 10}', '{send_batch_size: 10, send_batch_max_size: 5}', '{metadata_keys: [a, A]}', '{metadata_keys: [a, b]}', '{metadata_keys: a}', '{metadata_keys: a,b}', '{metadata_keys: [5]}', '{metadata_keys: [[a]]}', '{metadata_cardinality_limit: -1}', '{metadata_keys: {a: b}}', '{timout: 5s}', '{timeout: -1s, send_batch_max_size: 1}'], batch, { look: ['processors.batch.metadata_keys'] }),
  ...each('memory_limiter', ['{}', '{check_interval: 1s}', '{limit_mib: 5}', '{check_interval: 0s, limit_mib: 5}', '{check_interval: -1s, limit_mib: 5}', '{check_interval: 1s, limit_percentage: 50}', '{check_interval: 1s, limit_percentage: 101}', '{check_interval: 1s, limit_mib: 5, spike_limit_mib: 6}', '{check_interval: 1s, limit_mib: 5, spike_limit_mib: 5}', '{check_interval: 1s, limit_percentage: 50, spike_limit_percentage: 60}', '{check_interval: 1s, limit_mib: 5, limit_percentage: 5}', '{check_interval: 1s, limit_percentage: 50, spike_limit_percentage: 101}', '{check_interval: 1s, limit_mib: 5, min_gc_interval_when_soft_limited: 1s, min_gc_interval_when_hard_limited: 2s}', '{chek_interval: 1s}'], limiter),
  ...each('otlp receiver', ['null', '{}', '{protocols: }', '{protocols: {}}', '{protocols: {grpc: }}', '{protocols: {http: }}', '{protocols: {grpc: , http: }}', '{protocols: {htttp: }}', '{protocols: {grpc: {endpiont: x}}}', '{protocols: {grpc: {endpoint: 4317}}}', '{protocols: {grpc: text}}', '{protocols: {grpc: []}}', '{protocols: [grpc]}', '{protocols: grpc}', '{protocol: {grpc: }}', '{protocols: {grpc: {max_recv_msg_size_mib: -1}}}', '{protocols: {grpc: {max_recv_msg_size_mib: x}}}', '{protocols: {grpc: {read_buffer_size: -1}}}', '{protocols: {grpc: {keepalive: {server_parameters: {max_connection_idle: x}}}}}', '{protocols: {grpc: {keepalive: {server_parameters: {foo: x}}}}}', '{protocols: {grpc: {keepalive: {foo: x}}}}', '{protocols: {grpc: {keepalive: }}}', '{protocols: {grpc: {tls: }}}', '{protocols: {grpc: {tls: {cert_file: x}}}}', '{protocols: {grpc: {tls: {key_file: x}}}}', '{protocols: {grpc: {tls: {min_version: "9", cert_file: x, key_file: y}}}}', '{protocols: {grpc: {tls: {min_version: 1.2, cert_file: x, key_file: y}}}}', '{protocols: {grpc: {tls: {min_version: "1.3", max_version: "1.2", cert_file: x, key_file: y}}}}', '{protocols: {grpc: {tls: {foo: x}}}}', '{protocols: {grpc: {tls: {reload_interval: -1s, cert_file: x, key_file: y}}}}', '{protocols: {grpc: {auth: {authenticator: x}}}}', '{protocols: {grpc: {auth: {}}}}', '{protocols: {grpc: {auth: x}}}', '{protocols: {grpc: {transport: carrier}}}', '{protocols: {grpc: {max_concurrent_streams: -1}}}', '{protocols: {http: {endpoint: }}}', '{protocols: {http: {traces_url_path: "%zz"}}}', '{protocols: {http: {traces_url_path: x}}}', '{protocols: {http: {max_request_body_size: -1}}}', '{protocols: {http: {cors: {allowed_origins: x}}}}', '{protocols: {http: {cors: {foo: x}}}}', '{protocols: {http: {compression_algorithms: [nosuch]}}}', '{protocols: {http: {tls: {cert_file: x}}}}', '{protocols: {http: {response_headers: {a: b}}}}', '{protocols: {http: {response_headers: [a]}}}', '{protocols: {http: {idle_timeout: x}}}', '{protocols: {http: {foo: x, bar: y}}}', '{protocols: {grpc: {foo: x}, http: {bar: y}}}'], otlp),
  ...each('otlp grpc endpoint', ENDPOINTS, (value) => otlp(`{protocols: {grpc: {endpoint: ${value}}}}`), { look: ['receivers.otlp.protocols.grpc.endpoint'] }),
  ...each('otlp http endpoint', ENDPOINTS, (value) => otlp(`{protocols: {http: {endpoint: ${value}}}}`), { look: ['receivers.otlp.protocols.http.endpoint'] }),
  ...each('otlp_grpc endpoint', ENDPOINTS, (value) => grpcOut(`{endpoint: ${value}}`), { look: ['exporters.otlp_grpc.endpoint'] }),
  ...each('otlp_http endpoint', ENDPOINTS, (value) => httpOut(`{endpoint: ${value}}`), { look: ['exporters.otlp_http.endpoint'] }),
  ...each('otlp_grpc', ['null', '{}', '{endpoint: "localhost:1", compression: gzip}', '{endpoint: "localhost:1", compression: brotli}', '{endpoint: "localhost:1", compression: none}', '{endpoint: "localhost:1", compression: ""}', '{endpoint: "localhost:1", compression: zstd}', '{endpoint: "localhost:1", compression: snappy}', '{endpoint: "localhost:1", headers: {a: b}}', '{endpoint: "localhost:1", headers: {a: 5}}', '{endpoint: "localhost:1", headers: [a]}', '{endpoint: "localhost:1", headers: [{name: a, value: b}]}', '{endpoint: "localhost:1", headers: text}', '{endpoint: "localhost:1", tls: {insecure: x}}', '{endpoint: "localhost:1", tls: {insecur: true}}', '{endpoint: "localhost:1", tls: {cert_file: x}}', '{endpoint: "localhost:1", tls: {ca_file: x, ca_pem: y}}', '{endpoint: "localhost:1", tls: {min_version: "2"}}', '{endpoint: "localhost:1", balancer_name: nosuch}', '{endpoint: "localhost:1", balancer_name: pick_first}', '{endpoint: "localhost:1", timeout: -1s}', '{endpoint: "localhost:1", timeout: x}', '{endpoint: "localhost:1", timeout: 0}', '{endpoint: "localhost:1", wait_for_ready: x}', '{endpoint: "localhost:1", keepalive: {time: x}}', '{endpoint: "localhost:1", foo: bar}', '{endpoint: "localhost:1", auth: {authenticator: x}}', '{endpoint: "localhost:1", read_buffer_size: x}'], grpcOut),
  ...each('otlp_http', ['null', '{}', '{traces_endpoint: "http://localhost:1/x"}', '{endpoint: "http://localhost:1", encoding: json}', '{endpoint: "http://localhost:1", encoding: xml}', '{endpoint: "http://localhost:1", compression: brotli}', '{endpoint: "http://localhost:1", compression: zstd}', '{endpoint: "http://localhost:1", compression: lz4}', '{endpoint: "http://localhost:1", compression: gzip, compression_params: {level: 99}}', '{endpoint: "http://localhost:1", headers: {a: b}}', '{endpoint: "http://localhost:1", timeout: -1s}', '{endpoint: "http://localhost:1", foo: bar}', '{endpoint: "http://localhost:1", max_idle_conns: -1}', '{endpoint: "http://localhost:1", proxy_url: "::"}', '{endpoint: "http://localhost:1", tls: {cert_pem: x}}'], httpOut),
  ...each('sending_queue', ['null', 'text', '[]', '{}', '{enabled: false}', '{enabled: x}', '{queue_size: 0}', '{queue_size: -1}', '{num_consumers: 0}', '{num_consumers: -5}', '{sizer: foo}', '{sizer: items}', '{sizer: bytes}', '{sizer: 5}', '{foo: 1}', '{enabled: false, queue_size: 0}', '{block_on_overflow: x}', '{wait_for_result: true}', '{queue_size: x}', '{batch: }', '{batch: {min_size: 100, max_size: 10}}', '{batch: {min_size: 5000}}', '{sizer: items, batch: {min_size: 5000}}', '{batch: {sizer: requests}}', '{batch: {sizer: items}}', '{batch: {flush_timeout: 0}}', '{batch: {flush_timeout: -1s}}', '{batch: {min_size: -1}}', '{batch: {foo: 1}}', '{storage: file_storage}', '{storage: file_storage, wait_for_result: true}', '{storage: 5}', '{queue_size: 0, num_consumers: 0}'], (value) => grpcOut(`{endpoint: "localhost:1", sending_queue: ${value}}`)),
  ...each('retry_on_failure', ['null', 'text', '{}', '{enabled: false}', '{initial_interval: -1s}', '{randomization_factor: 2}', '{randomization_factor: -1}', '{randomization_factor: x}', '{multiplier: 0}', '{multiplier: -1}', '{max_interval: -1s}', '{max_elapsed_time: -1s}', '{initial_interval: 10s, max_elapsed_time: 5s}', '{max_interval: 10s, max_elapsed_time: 5s}', '{max_elapsed_time: 0}', '{foo: 1}', '{enabled: false, initial_interval: -1s}'], (value) => grpcOut(`{endpoint: "localhost:1", retry_on_failure: ${value}}`)),
  ...each('aliases', ['{debug: , otlp: {endpoint: "localhost:1"}}', '{debug: , otlphttp: {endpoint: "http://localhost:1"}}', '{debug: , otlp: {}}', '{debug: , otlp/x: {foo: 1}}'], (exporters) => ({ exporters })),
  ...each('zpages', ['{endpoint: 5}', '{endpoint: x}', '{endpoint: ""}', '{foo: 1}', '{expvar: {enabled: true}}', '{expvar: {foo: true}}'], (value) => ({ extensions: `{zpages: ${value}}` })),
  ...each('health_check', ['{endpoint: 5}', '{endpoint: ""}', '{endpoint: x}', '{path: x}', '{path: 5}', '{foo: 1}', '{response_body: {healthy: a}}', '{response_body: {foo: a}}', '{check_collector_pipeline: {enabled: true}}', '{check_collector_pipeline: {foo: true}}', '{use_v2: true}', '{use_v2: true, http: }', '{use_v2: true, grpc: }', '{use_v2: true, http: {endpoint: ""}}', '{use_v2: true, http: {status: {enabled: false}}}', '{use_v2: true, http: {status: {path: x}}}', '{use_v2: true, http: {config: {enabled: true, path: /c}}}', '{use_v2: true, grpc: {endpoint: "localhost:0"}}', '{use_v2: true, grpc: {foo: 1}}', '{use_v2: true, component_health: {include_permanent_errors: true, recovery_duration: 5s}}', '{use_v2: true, component_health: {foo: 1}}', '{tls: {cert_file: x}}'], (value) => ({ extensions: `{health_check: ${value}}` })),
  ...each('file exporter', ['{}', '{path: ""}', '{path: /tmp/x, format: xml}', '{path: /tmp/x, format: json}', '{path: /tmp/x, compression: gzip}', '{path: /tmp/x, rotation: {max_megabytes: -1}}', '{path: /tmp/x, rotation: {}}', '{path: /tmp/x, rotation: , append: true}', '{path: /tmp/x, foo: 1}', '{path: 5}'], (value) => ({ exporters: `{debug: , file: ${value}}` })),

  // Telemetry
  ...each('telemetry', ['null', 'text', '{foo: 1}', '{logs: }', '{logs: text}', '{logs: {level: foo}}', '{logs: {level: DEBUG}}', '{logs: {level: 5}}', '{logs: {level: ""}}', '{logs: {encoding: xml}}', '{logs: {encoding: json}}', '{logs: {foo: 1}}', '{logs: {sampling: {tick: x}}}', '{logs: {sampling: {foo: 1}}}', '{logs: {sampling: {enabled: false}}}', '{logs: {output_paths: stderr}}', '{logs: {initial_fields: {a: b}}}', '{metrics: }', '{metrics: {level: foo}}', '{metrics: {level: Detailed}}', '{metrics: {level: none}}', '{metrics: {level: 5}}', '{metrics: {address: "localhost:1"}}', '{metrics: {readers: }}', '{metrics: {readers: []}}', '{metrics: {level: none, readers: []}}', '{metrics: {readers: text}}', '{metrics: {readers: [{}]}}', '{metrics: {readers: [{foo: 1}]}}', '{metrics: {readers: [{pull: {exporter: {prometheus: {host: localhost, port: 1}}}}]}}', '{metrics: {readers: [{pull: {exporter: {prometheus: {host: localhost, port: x}}}}]}}', '{metrics: {readers: [{pull: {exporter: {}}}]}}', '{metrics: {readers: [{pull: }]}}', '{metrics: {readers: [{periodic: {exporter: {otlp: {protocol: grpc, endpoint: "http://localhost:1"}}}}]}}', '{metrics: {readers: [{periodic: {}}]}}', '{metrics: {readers: [{periodic: {interval: x, exporter: {otlp: {protocol: grpc, endpoint: "http://localhost:1"}}}}]}}', '{metrics: {views: []}}', '{metrics: {views: [{}]}}', '{metrics: {level: detailed, views: [{selector: {instrument_name: x}, stream: {name: y}}]}}', '{metrics: {views: [{selector: {instrument_name: x}, stream: {name: y}}]}}', '{traces: }', '{traces: {level: none}}', '{traces: {foo: 1}}', '{traces: {propagators: [tracecontext]}}', '{traces: {processors: [{batch: {exporter: {otlp: {protocol: grpc, endpoint: "http://localhost:1"}}}}]}}', '{resource: }', '{resource: {service.name: x}}', '{resource: {service.name: }}', '{resource: {a: 5}}', '{resource: text}', '{resource: {attributes: [{name: a, value: b}]}}', '{resource: {attributes: text}}'], (telemetry) => ({ telemetry })),

  // References
  ...REFERENCES.map((text) =>
    one(`reference ${text}`, ends(text), {
      env: { ...ENV_VALUES, NAME: 'INT', LOOP: '${env:LOOP}' },
      look: ['exporters.otlp_grpc.endpoint'],
    }),
  ),
  one('reference in a key', { exporters: '{"${env:TEXT}": {}, debug: }' }, { env: ENV_VALUES }),
  one('reference for a section', { exporters: '"${env:E}"' }, { env: { E: '{debug: {verbosity: detailed}}' }, look: ['exporters.debug.verbosity'] }),
  one('reference for a section, not a map', { exporters: '"${env:E}"' }, { env: { E: 'text' } }),
  one('reference in a list', batch('{metadata_keys: ["${env:A}", "x${env:B}"]}'), { env: { A: '5', B: '07' }, look: ['processors.batch.metadata_keys'] }),
  one('reference to a list of lists', batch('{metadata_keys: "${env:A}"}'), { env: { A: '[a, [b]]' } }),
  one('reference with a problem in it', debug('"${env:A}"'), { env: { A: '{verbosty: detailed}' } }),
  ...typing(),

  // Several sources
  { name: 'merge: later wins', files: [yaml(debug('{sampling_initial: 3, sampling_thereafter: 4}')), 'exporters: {debug: {sampling_initial: 5}}'], look: ['exporters.debug.sampling_initial', 'exporters.debug.sampling_thereafter'] },
  { name: 'merge: lists are replaced', files: [yaml(batch('{metadata_keys: [a, b]}')), 'processors: {batch: {metadata_keys: [c]}}'], look: ['processors.batch.metadata_keys'] },
  { name: 'merge: null wipes a section', files: [yaml({ ...batch('{}'), pipelines: '{traces: {receivers: [otlp], processors: [batch], exporters: [debug]}}' }), 'processors:\n'] },
  { name: 'merge: {} keeps', files: [yaml({ ...batch('{}'), pipelines: '{traces: {receivers: [otlp], processors: [batch], exporters: [debug]}}' }), 'processors: {}\n'] },
  { name: 'merge: null wipes a component', files: [yaml(debug('{sampling_initial: 3}')), 'exporters: {debug: }'], look: ['exporters.debug.sampling_initial'] },
  { name: 'merge: map over scalar', files: [yaml({ exporters: '{debug: text}' }), 'exporters: {debug: {sampling_initial: 5}}'], look: ['exporters.debug.sampling_initial'] },
  { name: 'merge: scalar over map', files: [yaml(debug('{sampling_initial: 5}')), 'exporters: {debug: text}'] },
  { name: 'merge: empty second file', files: [yaml(), ''] },
  { name: 'merge: empty first file', files: ['', yaml()] },
  { name: 'merge: append', files: [yaml({ exporters: '{debug: , nop: }' }), 'service: {pipelines: {traces: {exporters: [nop]}}}'], args: ['--feature-gates=confmap.enableMergeAppendOption'], look: ['service.pipelines.traces.exporters'] },
  { name: 'merge: append what is there', files: [yaml({ exporters: '{debug: , nop: }' }), 'service: {pipelines: {traces: {exporters: [nop, debug]}}}'], args: ['--feature-gates=+confmap.enableMergeAppendOption'], look: ['service.pipelines.traces.exporters'] },
  { name: 'merge: append leaves other lists', files: [yaml({ ...batch('{metadata_keys: [a]}'), pipelines: '{traces: {receivers: [otlp], processors: [batch], exporters: [debug]}}' }), 'processors: {batch: {metadata_keys: [b]}}\nservice: {pipelines: {traces: {processors: []}}}'], args: ['--feature-gates=confmap.enableMergeAppendOption'], look: ['processors.batch.metadata_keys', 'service.pipelines.traces.processors'] },
  { name: 'merge: no append without the gate', files: [yaml({ exporters: '{debug: , nop: }' }), 'service: {pipelines: {traces: {exporters: [nop]}}}'], look: ['service.pipelines.traces.exporters'] },
  ...['exporters.debug.sampling_initial=5', 'exporters::debug::sampling_initial=5', 'exporters.debug.verbosity=detailed', 'exporters.debug.sampling_initial= 5 ', 'exporters.debug={sampling_initial: 5}', 'exporters.debug.sampling_initial=[1', 'exporters.debug.sampling_initial', 'exporters.debug.nosuch=5', '=5', 'exporters.nosuch.a=5', 'exporters.debug.sampling_initial=', 'service.pipelines.traces.exporters=[debug]', 'service.pipelines.traces.exporters=debug', 'exporters.debug.sampling_initial=a=b', 'exporters.debug.sampling_initial=${env:INT}', 'foo:bar'].map((set) => ({ name: `--set ${set}`, files: [yaml()], args: [`--set=${set}`], env: ENV_VALUES, look: ['exporters.debug.sampling_initial'] })),
  ...['nope', '-nope', '+nope', '', 'nope,other', ',', 'service.profilesSupport', '-service.profilesSupport', '+service.AllowNoPipelines', 'service.profilesSupport,nope'].map((gates) => ({ name: `--feature-gates ${gates}`, files: [yaml()], args: [`--feature-gates=${gates}`] })),
  one('profiles with the gate', { pipelines: '{profiles: {receivers: [otlp], exporters: [nop]}}', exporters: '{nop: }' }, { args: ['--feature-gates=service.profilesSupport'] }),
  one('no pipelines with the gate', { service: '{}' }, { args: ['--feature-gates=service.AllowNoPipelines'] }),
  one('nothing but an extension with the gate', { receivers: '', exporters: '', extensions: '{zpages: {endpoint: "localhost:0"}}', service: '{extensions: [zpages]}' }, { args: ['--feature-gates=service.AllowNoPipelines'] }),
  ...[['--nosuch'], ['-x'], ['extra'], ['extra', 'more'], ['--config'], ['--set']].map((args) => ({ name: `arguments ${args.join(' ')}`, files: [yaml()], args })),
];
