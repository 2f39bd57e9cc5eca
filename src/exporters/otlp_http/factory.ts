import { defineExporter } from '../../component/factory.js';
import { exporterOf } from '../../pipeline/exporter-wrappers.js';
import { resolveShared } from '../../pipeline/otlp-export/client-config.js';
import { PartialSuccessLog } from '../../pipeline/otlp-export/partial-success-log.js';
import { SplittingSender } from '../../pipeline/otlp-export/splitting.js';
import { DEFAULT_TIMEOUT_MS, otlpHttpConfig } from './config.js';
import { OtlpHttpSender } from './otlp-http.js';

export const otlpHttpExporter = defineExporter({
  type: 'otlp_http',
  aliases: ['otlphttp'],
  stability: 'beta',
  description: 'Sends OTLP over HTTP to a Collector, Prometheus, a vendor and others.',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  config: otlpHttpConfig,
  create: (settings, config, signal) => {
    const { timeoutMs, compression } = resolveShared(config, signal, DEFAULT_TIMEOUT_MS);
    const log = new PartialSuccessLog(settings, signal);
    const sender = new OtlpHttpSender(settings, signal, { config, compression, log, now: settings.now });
    return exporterOf(new SplittingSender(sender, log), { ...config, timeout: timeoutMs }, settings, signal);
  },
});
