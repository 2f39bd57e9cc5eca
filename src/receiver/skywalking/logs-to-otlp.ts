/** Logs of SkyWalking's agents as OTLP, with the trace and the span that they were written in. */
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import { LogsWriter, Severity } from '../../otlp/logs-writer.js';
import { timeFromMs } from '../../otlp/time.js';
import { sw8SpanId, sw8TraceId, ZERO_SPAN_ID, ZERO_TRACE_ID } from '../../protocols/trace-context/sw8-ids.js';
import type { LogData } from './model.js';
import { timeOfMs } from './segments-to-otlp.js';

const LEVELS: Readonly<Record<string, number>> = {
  TRACE: Severity.trace,
  DEBUG: Severity.debug,
  INFO: Severity.info,
  WARN: Severity.warn,
  WARNING: Severity.warn,
  ERROR: Severity.error,
  FATAL: Severity.fatal,
  CRITICAL: Severity.fatal,
};

/** One log record. `service` and `instance` are those of the log before it in the stream, for one that does not say. */
export function encodeLog(
  log: LogData,
  service: string,
  instance: string,
  nowMs: number,
): { bytes: Uint8Array; itemCount: number } {
  const writer = new LogsWriter(1024);
  writer.resource({
    'service.name': log.service || service || undefined,
    'service.instance.id': log.serviceInstance || instance || undefined,
    'service.layer': log.layer || undefined,
  });
  writer.scope('');
  const attributes = Object.create(null) as Record<string, AttributeInput>;
  for (const { key, value } of log.tags.data) attributes[key] = value;
  if (log.endpoint !== '') attributes.endpoint = log.endpoint;
  const context = log.traceContext;
  const traceId = sw8TraceId(context?.traceId ?? '');
  const spanId = context === undefined ? ZERO_SPAN_ID : sw8SpanId(context.traceSegmentId, context.spanId);
  if (context !== undefined) {
    attributes['sw8.trace_id'] = context.traceId;
    attributes['sw8.segment_id'] = context.traceSegmentId;
    attributes['sw8.span_id'] = context.spanId;
  }
  const { level } = attributes;
  writer.logRecord({
    time: log.timestamp > 0n ? timeOfMs(log.timestamp) : undefined,
    observedTime: timeFromMs(nowMs),
    severityText: typeof level === 'string' ? level : undefined,
    severityNumber: typeof level === 'string' ? LEVELS[level.toUpperCase()] : undefined,
    body: log.body.text?.text ?? log.body.json?.json ?? log.body.yaml?.yaml ?? '',
    attributes,
    traceId: traceId === ZERO_TRACE_ID ? undefined : traceId,
    spanId: spanId === ZERO_SPAN_ID ? undefined : spanId,
  });
  return { bytes: writer.finish(), itemCount: 1 };
}
