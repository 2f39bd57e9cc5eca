/**
 * Where Kindling answers otherwise than a Collector, and why. Everything else must be the same; an entry that no case needs
 * any more is an error too.
 */
export const KNOWN_DIFFERENCES: readonly {
  readonly group: string;
  readonly id: RegExp;
  readonly why: string;
}[] = [
  {
    group: 'ottl-converters',
    id: /^(XXH3|XXH128|UserAgent|GetXML|InsertXML|RemoveXML|Convert(Attributes|Text)ToElementsXML|ParseXML|ParseSimplifiedXML|ExtractGrokPatterns)\(/,
    why: 'These functions are not there.',
  },
  {
    group: 'ottl-converters',
    id: /=>/,
    why: 'Lambdas are behind an alpha gate of the Collector; the sentences that refuse them differ.',
  },
  { group: 'ottl-converters', id: /^When\(/, why: 'Takes a condition as an argument; not there.' },
  { group: 'ottl-converters', id: /^otelcol\./, why: 'Statements do not see who sent the data.' },
  {
    group: 'ottl-converters',
    id: /^Format\("%e/,
    why: 'Go prints %G of a number with many digits with an exponent, %g of a shorter one without.',
  },
  {
    group: 'ottl-converters',
    id: /^log\.attributes\[1\]$/,
    why: 'An int as a key of a map is refused with another sentence.',
  },
  {
    group: 'ottl-telemetry',
    id: /aggregate_on_\w+\("\w+", (\[)?"queue"/,
    why: 'The metadata of the metric is kept; the Collector loses it.',
  },
  { group: 'ottl-telemetry', id: /Parse(CEF|CLF|LEEF|ELF)\(/, why: 'These functions are not there.' },
  {
    group: 'ottl-telemetry',
    id: /spanevent\.event_index/,
    why: 'The Collector knows the index in no processor and fails; Kindling knows it.',
  },
  {
    group: 'ottl-telemetry',
    id: /: (append\(span\.attributes\["m"\]|delete_index\(span\.attributes\["words"\])/,
    why: 'Wrong types are refused with another sentence, or accepted.',
  },
  {
    group: 'ottl-telemetry',
    id: /"(context":"nosuch|conditions":\["kind ==)|\{"trace_statements":\["(set\(span.name, \\"x\\"\)",\{|bad\()/,
    why: 'What is wrong is the same; the words around it differ.',
  },
  {
    group: 'ottl-telemetry',
    id: /logs: set\(log\.attributes\["r"\], (body|nosuch\.name)\)/,
    why: 'The list of contexts has no `otelcol`.',
  },
  { group: 'debug', id: /"verbosity":7/, why: 'Kindling says which setting it is.' },
  {
    group: 'file',
    id: /^profiles file profiles/,
    why: 'A Collector moves texts to the dictionary, and loses the dictionary of groups.',
  },
  {
    group: 'resource-detection',
    id: /OTEL_SERVICE_NAME/,
    why: 'A Collector does not look at this variable, every SDK does.',
  },
  {
    group: 'resource-detection',
    id: /"timeout":"-1s"/,
    why: 'A negative time is refused.',
  },
  {
    group: 'resource-detection',
    id: /"fail_on_missing_metadata":true/,
    why: 'The words of the socket differ.',
  },
  { group: 'filter', id: /"match_type":"expr"/, why: 'Expressions of the expr language are not there.' },
  {
    group: 'filter',
    id: /"min":"nosuch"/,
    why: 'Kindling says which setting it is.',
  },
  {
    group: 'filter',
    id: /datapoint":\["true"\]|"context":"datapoint","conditions":\["true"\]/,
    why: 'A metric without any data goes away with the others.',
  },
  {
    group: 'tail-sampling',
    id: /"(rate_limiting|composite)":\{"(max_total_)?spans_per_second":1[,}]/,
    why: 'A Collector takes traces in the order of a Go map, Kindling the oldest first.',
  },
  {
    group: 'tail-sampling',
    id: /"decision_wait":"-1s"|"num_traces":0/,
    why: 'Settings that make no sense are refused instead of losing traces.',
  },
];
