/** The status of a v1 span, from whichever of its binary annotations knows best (zipkinv1/status_code.go of contrib 0.155). */
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import { StatusCode } from '../../otlp/span-constants.js';

interface Source {
  code: number | undefined;
  message: string;
}

export class V1Status {
  readonly #census: Source = { code: undefined, message: '' };
  readonly #otel: Source = { code: undefined, message: '' };
  readonly #http: Source = { code: undefined, message: '' };
  #isError = false;

  /** True when the annotation is the status and nothing else, and becomes no attribute. */
  take(key: string, value: AttributeInput): boolean {
    switch (key) {
      case 'census.status_code': {
        const code = codeOf(value);
        if (code !== undefined) this.#census.code = code === 0 ? StatusCode.ok : StatusCode.error;
        return true;
      }
      case 'census.status_description':
      case 'opencensus.status_description':
        this.#census.message = textOf(value);
        return true;
      case 'otel.status_code':
        this.#otel.code = codeOf(value) ?? this.#otel.code;
        return true;
      case 'otel.status_description':
        this.#otel.message = textOf(value);
        return true;
      case 'error':
        this.#isError = true;
        return true;
      case 'http.status_code':
      case 'http.response.status_code': {
        const code = codeOf(value);
        if (code !== undefined)
          this.#http.code = code >= 100 && code < 400 ? StatusCode.unset : StatusCode.error;
        return false;
      }
      case 'http.status_message':
        this.#http.message = textOf(value);
        return false;
      default:
        return false;
    }
  }

  /** Undefined when nothing was said. */
  get status(): { code: number; message: string } | undefined {
    if (this.#census.code !== undefined) return known(this.#census.code, this.#census.message);
    if (this.#otel.code !== undefined) return known(this.#otel.code, this.#otel.message);
    if (this.#isError) return known(StatusCode.error, this.#census.message || this.#otel.message);
    return this.#http.code === undefined ? undefined : known(this.#http.code, this.#http.message);
  }
}

const known = (code: number, message: string) => ({ code, message });
const textOf = (value: AttributeInput): string => (typeof value === 'string' ? value : '');

/** An int32, or a text of one. */
function codeOf(value: AttributeInput): number | undefined {
  const number =
    typeof value === 'string' && /^[+-]?\d+$/.test(value)
      ? Number(value)
      : typeof value === 'number' || typeof value === 'bigint'
        ? Number(value)
        : undefined;
  return number !== undefined && number === (number | 0) ? number : undefined;
}
