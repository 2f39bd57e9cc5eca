/**
 * `partial_success` of an OTLP `Export…ServiceResponse`, the same shape for every signal:
 *
 *     response        { partial_success = 1 }
 *     partial_success { int64 rejected_spans | rejected_data_points | rejected_log_records = 1; string error_message = 2 }
 *
 * Source: opentelemetry-proto v1.11, collector/<signal>/v1/<signal>_service.proto
 */
import { forEachField } from '../../transport/rpc-status-codec.js';

export interface PartialSuccess {
  /** Spans, data points, log records or profiles that the peer did not keep. 0 with a message is a warning. */
  readonly rejectedItems: number;
  readonly message: string;
}

/** Undefined when everything was accepted, and when the response is not readable (the items were accepted then too). */
export function readPartialSuccess(response: Uint8Array): PartialSuccess | undefined {
  let rejectedItems = 0;
  let message = '';
  forEachField(response, (field, partial) => {
    if (field !== 1 || typeof partial === 'number') return;
    forEachField(partial, (inner, value) => {
      if (inner === 1 && typeof value === 'number') rejectedItems = value;
      else if (inner === 2 && typeof value !== 'number') message = Buffer.from(value).toString('utf8');
    });
  });
  return rejectedItems === 0 && message === '' ? undefined : { rejectedItems, message };
}

/** The same from JSON. */
export function readPartialSuccessJson(text: string): PartialSuccess | undefined {
  let partial: unknown;
  try {
    partial = (JSON.parse(text) as { partialSuccess?: unknown } | null)?.partialSuccess;
  } catch {
    return undefined;
  }
  if (typeof partial !== 'object' || partial === null) return undefined;
  const fields = partial as Record<string, unknown>;
  const rejected =
    fields.rejectedSpans ?? fields.rejectedDataPoints ?? fields.rejectedLogRecords ?? fields.rejectedProfiles;
  const rejectedItems = Number(rejected ?? 0);
  const message = typeof fields.errorMessage === 'string' ? fields.errorMessage : '';
  return rejectedItems > 0 || message !== '' ? { rejectedItems: rejectedItems || 0, message } : undefined;
}
