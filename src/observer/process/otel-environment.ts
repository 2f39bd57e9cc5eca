/**
 * The two variables of a process's environment that say how it calls itself. Nothing else of the environment, which
 * often holds secrets, leaves this file.
 *
 * Source: OpenTelemetry specification 1.44, "Environment Variable Specification" and "Resource SDK" (the value of
 * OTEL_RESOURCE_ATTRIBUTES has the form of W3C Baggage without properties: comma-separated key=value, percent-encoded;
 * a value that cannot be decoded makes the whole variable void).
 */
export interface OtelEnvironment {
  /** OTEL_SERVICE_NAME, else `service.name` of OTEL_RESOURCE_ATTRIBUTES. */
  readonly serviceName: string | undefined;
  /** OTEL_RESOURCE_ATTRIBUTES without `service.name`. */
  readonly resourceAttributes: Readonly<Record<string, string>>;
}

/** More attributes than this are not resource attributes but someone's mistake. */
const MAX_ATTRIBUTES = 128;

/** `text`: the content of /proc/PID/environ, variables separated by NUL. */
export function parseOtelEnvironment(text: string): OtelEnvironment {
  let name = '';
  let attributes: Record<string, string> = {};
  for (const variable of text.split('\0')) {
    if (variable.startsWith('OTEL_SERVICE_NAME=')) name = variable.slice('OTEL_SERVICE_NAME='.length).trim();
    if (variable.startsWith('OTEL_RESOURCE_ATTRIBUTES='))
      attributes = parseResourceAttributes(variable.slice('OTEL_RESOURCE_ATTRIBUTES='.length));
  }
  const { 'service.name': nameAttribute, ...rest } = attributes;
  return { serviceName: name || nameAttribute || undefined, resourceAttributes: rest };
}

function parseResourceAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const pair of text.split(',').slice(0, MAX_ATTRIBUTES)) {
    if (pair.trim() === '') continue;
    const equals = pair.indexOf('=');
    if (equals <= 0) return {};
    try {
      const key = decodeURIComponent(pair.slice(0, equals).trim());
      Object.defineProperty(attributes, key, {
        value: decodeURIComponent(pair.slice(equals + 1).trim()),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } catch {
      return {};
    }
  }
  return attributes;
}
