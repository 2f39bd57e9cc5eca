/**
 * Zipkin v2 JSON (https://zipkin.io/zipkin-api/zipkin2-api.yaml), as strict as github.com/openzipkin/zipkin-go v0.4.3, with
 * whose sentences a Collector refuses spans.
 */
import { timeFromMs } from '../../otlp/time.js';
import { parseSpanId, parseTraceId, ZERO_SPAN_ID } from '../../zipkin/ids.js';
import { canonicalIp } from '../../zipkin/ip-text.js';
import {
  type ZipkinAnnotation,
  type ZipkinEndpoint,
  ZipkinError,
  type ZipkinSpan,
} from '../../zipkin/model.js';
import {
  arrayField,
  asArray,
  asObject,
  checkBool,
  intField,
  type JsonObject,
  objectField,
  parseJson,
  stringField,
} from './json-fields.js';

const UINT64_MAX = 2 ** 64;
const ANNOTATION_REQUIRED = 'valid annotation timestamp required';

/** Throws `ZipkinError`. */
export function readV2Json(body: Uint8Array): ZipkinSpan[] {
  return asArray(parseJson(body), '[]*model.SpanModel').flatMap((item) =>
    item === null ? [] : [readSpan(asObject(item, 'value', 'model.SpanModel'))],
  );
}

function readSpan(object: JsonObject): ZipkinSpan {
  const owner = '.Alias';
  const traceId = idText(object, 'traceId');
  if (object.traceId !== undefined && traceId === '') throw new ZipkinError('valid traceId required');
  const id = idText(object, 'id');
  const parentId = idText(object, 'parentId');
  checkBool(object, 'debug', owner);
  checkBool(object, 'shared', owner);
  const span: ZipkinSpan = {
    traceId: traceId === '' ? '0'.repeat(32) : parseTraceId(traceId),
    id: id === '' ? ZERO_SPAN_ID : parseSpanId(id),
    parentId: parentId === '' ? '' : parseSpanId(parentId),
    name: stringField(object, 'name', owner),
    kind: stringField(object, 'kind', owner),
    timestampUs: intField(object, 'timestamp', '', 'uint64', 0, UINT64_MAX) || undefined,
    durationUs: intField(object, 'duration', '', 'uint64', 0, UINT64_MAX),
    local: readEndpoint(objectField(object, 'localEndpoint', owner, 'model.Endpoint')),
    remote: readEndpoint(objectField(object, 'remoteEndpoint', owner, 'model.Endpoint')),
    annotations: arrayField(object, 'annotations', owner, '[]model.Annotation').map(readAnnotation),
    tags: readTags(objectField(object, 'tags', owner, 'map[string]string')),
  };
  if (span.id === ZERO_SPAN_ID) throw new ZipkinError('valid span id required');
  return span;
}

/** Ids are read from between whatever stands around them: a number loses its first and last digit in zipkin-go. */
function idText(object: JsonObject, key: string): string {
  const value = object[key];
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value).slice(1, -1);
}

function readEndpoint(object: JsonObject | undefined): ZipkinEndpoint | undefined {
  if (object === undefined) return undefined;
  const owner = '.Alias.Endpoint';
  const endpoint: ZipkinEndpoint = {
    serviceName: stringField(object, 'serviceName', owner),
    ipv4: readIp(object, 'ipv4', owner),
    ipv6: readIp(object, 'ipv6', owner),
    port: intField(object, 'port', owner, 'uint16', 0, 65_535),
  };
  const isEmpty =
    endpoint.serviceName === '' && endpoint.ipv4 === '' && endpoint.ipv6 === '' && endpoint.port === 0;
  return isEmpty ? undefined : endpoint;
}

function readIp(object: JsonObject, key: string, owner: string): string {
  const text = stringField(object, key, owner);
  if (text === '') return '';
  const ip = canonicalIp(text);
  if (ip === undefined) throw new ZipkinError(`invalid IP address: ${text}`);
  return ip;
}

function readAnnotation(item: unknown): ZipkinAnnotation {
  if (item === null) throw new ZipkinError(ANNOTATION_REQUIRED);
  const object = asObject(item, 'value', 'model.Annotation');
  const timestampUs = intField(object, 'timestamp', '', 'uint64', 0, UINT64_MAX);
  if (timestampUs < 1) throw new ZipkinError(ANNOTATION_REQUIRED);
  return { time: timeFromMicros(timestampUs), value: stringField(object, 'value', '.Alias') };
}

function readTags(object: JsonObject | undefined): ReadonlyMap<string, string> {
  if (object === undefined) return NO_TAGS;
  return new Map(Object.keys(object).map((key) => [key, stringField(object, key, '.Alias.tags')]));
}

const NO_TAGS: ReadonlyMap<string, string> = new Map();

/** Exact for whole microseconds below 2^53. */
export const timeFromMicros = (us: number) => timeFromMs(Math.floor(us / 1000), (us % 1000) * 1000);
