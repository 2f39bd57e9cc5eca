/** The OTLP/gRPC services (opentelemetry-proto v1.11, `collector/<signal>/v1/<signal>_service.proto`). */
import type { Signal } from '../../component/signal.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import type { Intake } from '../../pipeline/intake.js';
import type { UnaryMethod } from '../../transport/grpc-server.js';
import { GRPC_STATUS, RpcError } from '../../transport/grpc-status.js';
import { requestMetadata } from '../../transport/request-metadata.js';
import { acceptOtlp, EXPORT_RESPONSE } from './export-request.js';

const PATHS: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  profiles: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
};

/** One method for each signal that has a pipeline; the others stay unknown services. */
export function grpcMethods(
  intakes: readonly Intake[],
  keepMetadata = false,
): ReadonlyMap<string, UnaryMethod> {
  return new Map(intakes.map((intake) => [PATHS[intake.signal], exportMethod(intake, keepMetadata)]));
}

const exportMethod = (intake: Intake, keepMetadata: boolean): UnaryMethod => ({
  async handle(message, connection, headers) {
    try {
      const metadata = keepMetadata ? requestMetadata(headers) : undefined;
      await acceptOtlp(intake, message, 'grpc', connection, metadata);
      return EXPORT_RESPONSE;
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      throw new RpcError(GRPC_STATUS.INTERNAL, `grpc: error unmarshalling request: ${error.message}`);
    }
  },
  refused: (error) => intake.refusedCall(error, 'grpc'),
});
