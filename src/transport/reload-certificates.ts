import type { Logger } from '../telemetry/logger.js';

/**
 * Reads certificate files again and again, for the connections that are made afterwards. Files that can't be read, or that
 * `apply` refuses, leave the old certificates in place and are logged. Call what it returns to stop; `intervalMs` 0 is off.
 */
export function reloadCertificates<T>(
  intervalMs: number,
  read: () => Promise<T>,
  apply: (certificates: T) => void,
  logger: Pick<Logger, 'error'>,
): () => void {
  if (intervalMs <= 0) return () => {};
  let isStopped = false;
  const reload = async (): Promise<void> => {
    try {
      const certificates = await read();
      if (!isStopped) apply(certificates);
    } catch (error) {
      const { message } = error as Error;
      logger.error('Reading the certificates again failed. The old ones stay.', { error: message });
    }
  };
  const timer = setInterval(() => void reload(), intervalMs).unref();
  return () => {
    isStopped = true;
    clearInterval(timer);
  };
}
