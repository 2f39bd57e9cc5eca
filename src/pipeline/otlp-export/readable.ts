import { InvalidJsonError } from '../../otlp/json-reader.js';
import { MalformedError } from '../../otlp/malformed-error.js';

/**
 * What `decode` returns, or undefined when a peer's answer is not what it should be: the status line has decided
 * already, and details that can't be read change nothing. (Proxies answer with HTML.)
 */
export function readable<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof MalformedError || error instanceof InvalidJsonError) return undefined;
    throw error;
  }
}
