/** One `Export…ServiceRequest`, the same for gRPC and HTTP. */
import type { Origin } from '../../component/signal.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { encodeExportResponse } from '../../otlp/responses.js';
import { validate } from '../../otlp/validate.js';
import type { Intake } from '../../pipeline/intake.js';

/** An empty `partial_success`, which is how a Collector spells "all accepted". */
export const EXPORT_RESPONSE = encodeExportResponse();

/**
 * Takes one encoded request; the bytes belong to the pipeline from now on. Resolves when the pipeline has accepted them.
 * Rejects with `MalformedError` when they are not what they should be, and with `Refusal` when the pipeline refused.
 */
export async function acceptOtlp(
  intake: Intake,
  bytes: Uint8Array,
  transport: 'grpc' | 'http',
  connection: Origin['connection'],
  metadata?: Origin['metadata'],
): Promise<void> {
  let itemCount: number;
  try {
    itemCount = validate(intake.signal, bytes);
  } catch (error) {
    if (error instanceof MalformedError) intake.lost('malformed', transport);
    throw error;
  }
  // Accepted without a trace, as a Collector does: there is nothing to keep.
  if (itemCount > 0) await intake.deliver({ bytes, itemCount, transport, connection, metadata });
}
