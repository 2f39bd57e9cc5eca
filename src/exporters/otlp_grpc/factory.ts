import { defineExporter } from '../../component/factory.js';
import { exporterOf } from '../../pipeline/exporter-wrappers.js';
import { resolveShared } from '../../pipeline/otlp-export/client-config.js';
import { PartialSuccessLog } from '../../pipeline/otlp-export/partial-success-log.js';
import { SplittingSender } from '../../pipeline/otlp-export/splitting.js';
import { DEFAULT_TIMEOUT_MS, otlpGrpcConfig } from './config.js';
import { OtlpGrpcSender } from './otlp-grpc.js';

export const otlpGrpcExporter = defineExporter({
  type: 'otlp_grpc',
  aliases: ['otlp'],
  stability: 'beta',
  description: 'Sends OTLP over gRPC to a Collector, Jaeger, Tempo and others.',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  config: otlpGrpcConfig,
  create: (settings, config, signal) => {
    const { timeoutMs, compression } = resolveShared(config, signal, DEFAULT_TIMEOUT_MS);
    const log = new PartialSuccessLog(settings, signal);
    const sender = new OtlpGrpcSender(settings, signal, { config, timeoutMs, compression, log });
    return exporterOf(new SplittingSender(sender, log), { ...config, timeout: timeoutMs }, settings, signal);
  },
});
