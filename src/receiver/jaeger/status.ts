/** The status of a Jaeger span (`setInternalSpanStatus` of pkg/translator/jaeger of contrib 0.155). */
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import { SpanKind, StatusCode } from '../../otlp/span-constants.js';

type Attributes = Record<string, AttributeInput>;
type Status = { readonly code: number; readonly message: string };

/** Takes what is only the status out of `attributes`. Undefined when the span says nothing. */
export function takeStatus(attributes: Attributes, kind: number): Status | undefined {
  let status: Status | undefined;
  if (attributes.error === true) {
    delete attributes.error;
    const message = takeDescription(attributes) ?? textOf(attributes['http.status_message']);
    status = { code: StatusCode.error, message };
  }
  const code = attributes['otel.status_code'];
  if (code !== undefined) {
    delete attributes['otel.status_code'];
    return status ?? { code: codeOf(textOf(code).toUpperCase()), message: takeDescription(attributes) ?? '' };
  }
  return status ?? fromHttp(attributes, kind);
}

const codeOf = (text: string): number =>
  text === 'OK' ? StatusCode.ok : text === 'ERROR' ? StatusCode.error : StatusCode.unset;

function fromHttp(attributes: Attributes, kind: number): Status | undefined {
  const value = attributes['http.status_code'];
  if (value === undefined || !isFailure(value, kind)) return undefined;
  return { code: StatusCode.error, message: textOf(attributes['http.status_message']) };
}

function isFailure(value: AttributeInput, kind: number): boolean {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  const isText = typeof value === 'string' && /^[+-]?\d{1,18}$/.test(value);
  if (!isNumber && !isText) return false;
  const code = Number(value);
  if (code >= 400 && code < 500 && kind === SpanKind.server) return false;
  return code < 100 || code >= 399;
}

function takeDescription(attributes: Attributes): string | undefined {
  const value = attributes['otel.status_description'];
  if (value === undefined) return undefined;
  delete attributes['otel.status_description'];
  return textOf(value);
}

const textOf = (value: AttributeInput | undefined): string => (typeof value === 'string' ? value : '');
