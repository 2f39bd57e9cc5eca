/** The processors that have settings of their own rather than statements. */
import { configCase, type ParityCase, type ParitySignal } from '../case.js';

const SIGNALS: readonly ParitySignal[] = ['traces', 'metrics', 'logs'];

const ACTIONS: readonly object[] = [
  ...['insert', 'update', 'upsert'].flatMap((action) => [
    { key: 's', value: 'new', action },
    { key: 'new', value: 5, action },
    { key: 'new', value: 1.5, action },
    { key: 'new', value: true, action },
    { key: 'new', value: ['a', 'b'], action },
    { key: 'new', value: [1, 2], action },
    { key: 'new', value: { a: 1 }, action },
    { key: 'new', from_attribute: 's', action },
    { key: 's', from_attribute: 'nosuch', action },
    { key: 'new', from_attribute: 'i', action },
    { key: 'new', value: '9', converted_type: 'int', action },
    { key: 'new', from_context: 'metadata.x', action },
    { key: 'new', from_context: 'nosuch.x', action },
    { key: 'new', action },
    { key: 'new', value: 'a', from_attribute: 's', action },
    { key: 'new', value: null, action },
    { key: 'new', default_value: 'd', from_attribute: 'nosuch', action },
  ]),
  { key: 's', action: 'delete' },
  { pattern: '^h', action: 'delete' },
  { key: 's', pattern: '^i', action: 'delete' },
  { pattern: '(', action: 'delete' },
  { action: 'delete' },
  { key: 's', value: 'x', action: 'delete' },
  ...['s', 'i', 'neg', 'd', 'b', 'l', 'm', 'bytes', 'empty', 'nosuch'].map((key) => ({
    key,
    action: 'hash',
  })),
  { pattern: '^.$', action: 'hash' },
  { action: 'hash' },
  ...['int', 'double', 'string', 'nosuch', undefined].flatMap((converted_type) =>
    ['num', 's', 'i', 'd', 'b', 'l', 'm'].map((key) => ({ key, action: 'convert', converted_type })),
  ),
  { key: 'url', pattern: '^(?P<scheme>\\w+)://(?P<rest>.*)$', action: 'extract' },
  { key: 'url', pattern: '^(\\w+)://', action: 'extract' },
  { key: 'url', pattern: '^(?P<a>\\w+)://(.*)', action: 'extract' },
  { key: 'i', pattern: '(?P<a>.)', action: 'extract' },
  { key: 's', pattern: '(?P<a>\\d+)', action: 'extract' },
  { key: 'url', pattern: 'x', action: 'extract' },
  { key: 'url', action: 'extract' },
  { key: 'url', pattern: '(?P<a>', action: 'extract' },
  { key: 's', action: 'nosuch' },
  { key: 's', value: 1, action: 'UPSERT' },
  { value: 1, action: 'upsert' },
  {},
];

const MATCHES: readonly object[] = [
  { match_type: 'strict', services: ['shop'] },
  { match_type: 'regexp', services: ['sh.*'] },
  { match_type: 'strict', span_names: ['root'] },
  { match_type: 'regexp', span_names: ['^GET', 'x'] },
  { match_type: 'strict', span_kinds: ['SPAN_KIND_SERVER'] },
  { match_type: 'strict', span_kinds: ['nosuch'] },
  { match_type: 'strict', attributes: [{ key: 's', value: 'v' }] },
  { match_type: 'strict', attributes: [{ key: 'i', value: 42 }] },
  { match_type: 'strict', attributes: [{ key: 's' }] },
  { match_type: 'regexp', attributes: [{ key: 's', value: 'Hello.*' }] },
  { match_type: 'regexp', attributes: [{ key: 'i', value: '4.' }] },
  { match_type: 'strict', resources: [{ key: 'host.name', value: 'node-1' }] },
  { match_type: 'strict', libraries: [{ name: 'lib' }] },
  { match_type: 'strict', libraries: [{ name: 'lib', version: '2' }] },
  { match_type: 'regexp', libraries: [{ name: 'l.*', version: '1.*' }] },
  { match_type: 'strict', log_bodies: ['user alice logged in from 10.0.0.1'] },
  { match_type: 'regexp', log_bodies: ['alice'] },
  { match_type: 'strict', log_severity_texts: ['INFO'] },
  { match_type: 'strict', log_severity_number: { min: 17, match_undefined: true } },
  { match_type: 'strict', log_severity_number: { min: 17 } },
  { match_type: 'strict', metric_names: ['requests'] },
  { match_type: 'regexp', metric_names: ['^q'] },
  { match_type: 'strict', services: ['shop'], attributes: [{ key: 's', value: 'v' }] },
  { match_type: 'nosuch', services: ['shop'] },
  { services: ['shop'] },
  { match_type: 'strict' },
  { match_type: 'regexp', services: ['('] },
  { match_type: 'regexp', regexp: { cacheenabled: true, cachemaxnumentries: 10 }, span_names: ['x'] },
  {},
];

export function attributesCases(): ParityCase[] {
  const touch = [{ key: 'touched', value: 1, action: 'insert' }];
  return [
    ...ACTIONS.map((action) => configCase('attributes', 'traces', { actions: [action] })),
    ...MATCHES.flatMap((match) =>
      SIGNALS.flatMap((signal) => [
        configCase('attributes', signal, { include: match, actions: touch }),
        configCase('attributes', signal, { exclude: match, actions: touch }),
      ]),
    ),
    configCase('attributes', 'traces', {}),
    configCase('attributes', 'traces', { actions: [] }),
    configCase('attributes', 'traces', {
      include: { match_type: 'strict', services: ['shop'] },
      exclude: { match_type: 'strict', span_names: ['root'] },
      actions: touch,
    }),
    ...SIGNALS.flatMap((signal) => [
      ...ACTIONS.slice(0, 8).map((action) => configCase('attributes', signal, { actions: [action] })),
      configCase('resource', signal, { attributes: [{ key: 'x', value: 1, action: 'upsert' }] }),
      configCase('resource', signal, { attributes: [{ key: 'service.name', action: 'hash' }] }),
      configCase('resource', signal, { attributes: [{ key: 'service.name', action: 'delete' }] }),
      configCase('resource', signal, { attributes: [{ pattern: '^k8s', action: 'delete' }] }),
    ]),
    configCase('resource', 'traces', {}),
    configCase('resource', 'traces', { attributes: [] }),
    configCase('resource', 'traces', { attributes: [{ key: 'x', action: 'insert' }] }),
  ].filter(
    ({ id, component }, index, all) =>
      all.findIndex((other) => other.id === id && other.component === component) === index,
  );
}

const FILTERS: Readonly<Record<ParitySignal, readonly object[]>> = {
  traces: [
    { spans: { include: { match_type: 'strict', services: ['shop'] } } },
    { spans: { exclude: { match_type: 'strict', services: ['shop'] } } },
    ...MATCHES.map((match) => ({ spans: { include: match } })),
    ...MATCHES.slice(0, 8).map((match) => ({ spans: { exclude: match } })),
    { traces: { span: ['name == "root"'] } },
    { traces: { span: ['attributes["i"] == 42', 'kind == SPAN_KIND_CLIENT'] } },
    { traces: { spanevent: ['name == "log"'] } },
    { traces: { spanevent: ['true'] } },
    { traces: { resource: ['attributes["service.name"] == "shop"'] } },
    { traces: { scope: ['name == "lib"'] } },
    { traces: { span: ['true'] } },
    { traces: { span: ['IsRootSpan()'] } },
    { traces: { span: ['nosuch == 1'] } },
    { traces: { span: ['NoSuch() == 1'] } },
    { traces: { span: ['name ['] } },
    { traces: { span: ['Int(attributes["m"]) == 1'] }, error_mode: 'propagate' },
    { traces: { span: ['Int(attributes["m"]) == 1'] }, error_mode: 'ignore' },
    { traces: { span: ['name == "root"'], spanevent: ['true'] } },
    { traces: { span: [] } },
    {
      traces: { span: ['name == "root"'] },
      spans: { include: { match_type: 'strict', services: ['shop'] } },
    },
    { trace_conditions: ['span.name == "root"'] },
    { trace_conditions: ['spanevent.name == "log"', 'spanevent.name == "x"'] },
    { trace_conditions: ['resource.attributes["host.name"] != nil'] },
    { trace_conditions: ['scope.name == "lib"'] },
    { trace_conditions: [{ context: 'span', conditions: ['name == "root"'] }] },
    { trace_conditions: [{ conditions: ['span.name == "root"'], error_mode: 'propagate' }] },
    {
      trace_conditions: [
        { context: 'span', conditions: ['name == "root"'] },
        { context: 'spanevent', conditions: ['true'] },
      ],
    },
    { trace_conditions: ['name == "root"'] },
    { trace_conditions: ['log.body == "x"'] },
    { trace_conditions: ['true'] },
    { trace_conditions: ['span.name == "root"'], traces: { span: ['true'] } },
    { traces: { nosuch: ['true'] } },
    {},
  ],
  metrics: [
    { metrics: { metric: ['name == "old"'] } },
    { metrics: { metric: ['type == METRIC_DATA_TYPE_SUM'] } },
    { metrics: { datapoint: ['attributes["code"] == 500'] } },
    { metrics: { datapoint: ['true'] } },
    { metrics: { datapoint: ['value_double > 3.0'] } },
    { metrics: { datapoint: ['metric.name == "latency" and count > 3'] } },
    { metrics: { resource: ['true'] } },
    { metrics: { metric: ['HasAttrOnDatapoint("code", "500")'] } },
    { metrics: { metric: ['HasAttrOnDatapoint("route", "/a")'] } },
    { metrics: { metric: ['HasAttrKeyOnDatapoint("queue")'] } },
    { metrics: { metric: ['HasAttrKeyOnDatapoint("nosuch")'] } },
    { metrics: { include: { match_type: 'strict', metric_names: ['requests'] } } },
    { metrics: { exclude: { match_type: 'strict', metric_names: ['requests'] } } },
    { metrics: { include: { match_type: 'regexp', metric_names: ['^q', 'lat'] } } },
    { metrics: { include: { match_type: 'regexp', metric_names: ['('] } } },
    { metrics: { exclude: { match_type: 'regexp', metric_names: ['.*'] } } },
    {
      metrics: {
        include: { match_type: 'strict', resource_attributes: [{ key: 'service.name', value: 'shop' }] },
      },
    },
    {
      metrics: {
        exclude: { match_type: 'regexp', resource_attributes: [{ key: 'service.name', value: 'sh.*' }] },
      },
    },
    {
      metrics: {
        exclude: { match_type: 'strict', resource_attributes: [{ key: 'service.name', value: 'other' }] },
      },
    },
    { metrics: { include: { match_type: 'expr', expressions: ['MetricName == "requests"'] } } },
    {
      metrics: {
        include: { match_type: 'expr', expressions: ['Label("route") == "/a"', 'HasLabel("queue")'] },
      },
    },
    {
      metrics: {
        exclude: { match_type: 'expr', expressions: ['MetricName == "old" && Label("route") == "/a"'] },
      },
    },
    { metrics: { include: { match_type: 'expr' } } },
    { metrics: { include: { match_type: 'nosuch', metric_names: ['x'] } } },
    { metrics: { include: { match_type: 'strict' } } },
    { metrics: { metric: ['true'], include: { match_type: 'strict', metric_names: ['x'] } } },
    { metric_conditions: ['metric.name == "old"'] },
    { metric_conditions: ['datapoint.attributes["route"] == "/a"'] },
    { metric_conditions: [{ context: 'metric', conditions: ['name == "old"'] }] },
    { metric_conditions: [{ context: 'datapoint', conditions: ['true'] }] },
    { metric_conditions: ['exemplar.int_value == 3'] },
    {},
  ],
  logs: [
    { logs: { log_record: ['body == "x"'] } },
    { logs: { log_record: ['IsMatch(body, "alice")'] } },
    { logs: { log_record: ['severity_number < SEVERITY_NUMBER_WARN'] } },
    { logs: { log_record: ['IsMap(body)'] } },
    { logs: { resource: ['true'] } },
    { logs: { scope: ['true'] } },
    { logs: { log_record: ['nosuch'] } },
    { logs: { include: { match_type: 'strict', severity_texts: ['INFO'] } } },
    { logs: { exclude: { match_type: 'strict', severity_texts: ['INFO'] } } },
    { logs: { include: { match_type: 'regexp', severity_texts: ['IN.*'] } } },
    { logs: { include: { match_type: 'strict', bodies: ['user alice logged in from 10.0.0.1'] } } },
    { logs: { exclude: { match_type: 'regexp', bodies: ['alice'] } } },
    { logs: { include: { match_type: 'strict', severity_number: { min: 'WARN' } } } },
    { logs: { include: { match_type: 'strict', severity_number: { min: 'INFO', match_undefined: true } } } },
    { logs: { exclude: { match_type: 'strict', severity_number: { min: 'ERROR2' } } } },
    { logs: { include: { match_type: 'strict', severity_number: { min: 'nosuch' } } } },
    { logs: { include: { match_type: 'strict', record_attributes: [{ key: 's', value: 'v' }] } } },
    { logs: { exclude: { match_type: 'regexp', record_attributes: [{ key: 's', value: '.*' }] } } },
    {
      logs: {
        include: { match_type: 'strict', resource_attributes: [{ key: 'service.name', value: 'shop' }] },
      },
    },
    {
      logs: {
        exclude: { match_type: 'strict', resource_attributes: [{ key: 'service.name', value: 'shop' }] },
      },
    },
    { logs: { include: { match_type: 'nosuch', bodies: ['x'] } } },
    { logs: { include: { bodies: ['x'] } } },
    { logs: { log_record: ['true'], include: { match_type: 'strict', bodies: ['x'] } } },
    { log_conditions: ['log.body == "x"', 'log.severity_number == 17'] },
    { log_conditions: [{ context: 'log', conditions: ['severity_number == 17'] }] },
    { log_conditions: ['scope.name == "lib"'] },
    {},
  ],
};

export const filterCases = (): ParityCase[] =>
  SIGNALS.flatMap((signal) => FILTERS[signal].map((config) => configCase('filter', signal, config))).filter(
    ({ id }, index, all) => all.findIndex((other) => other.id === id) === index,
  );

const SAMPLING: readonly object[] = [
  {},
  { sampling_percentage: 100 },
  { sampling_percentage: 0 },
  { sampling_percentage: 50 },
  { sampling_percentage: 50, hash_seed: 7 },
  { sampling_percentage: 50, mode: 'hash_seed' },
  { sampling_percentage: 50, mode: 'proportional' },
  { sampling_percentage: 50, mode: 'equalizing' },
  { sampling_percentage: 99.9, mode: 'proportional', sampling_precision: 2 },
  { sampling_percentage: 33.3, mode: 'equalizing', sampling_precision: 6 },
  { sampling_percentage: 50, mode: 'nosuch' },
  { sampling_percentage: -1 },
  { sampling_percentage: 200 },
  { sampling_percentage: 50, sampling_precision: 0 },
  { sampling_percentage: 50, sampling_precision: 15 },
  { sampling_percentage: 50, fail_closed: false },
  { sampling_percentage: 1e-20, mode: 'proportional' },
  { sampling_percentage: 50, attribute_source: 'record', from_attribute: 's' },
  { sampling_percentage: 50, attribute_source: 'record' },
  { sampling_percentage: 50, attribute_source: 'traceID' },
  { sampling_percentage: 50, attribute_source: 'nosuch' },
  { sampling_percentage: 1, sampling_priority: 'i' },
  { sampling_percentage: 99, sampling_priority: 's' },
];

export const samplerCases = (): ParityCase[] =>
  (['traces', 'logs'] as const).flatMap((signal) =>
    SAMPLING.map((config) => configCase('probabilistic_sampler', signal, config)),
  );
