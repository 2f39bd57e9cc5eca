/**
 * THE list of components. A component is a folder and one import line here, alphabetical by path; everything else
 * (configuration, documentation, contract tests) follows from the list.
 */
import type { AnyFactory } from './component/factory.js';
import { forwardConnector } from './connectors/forward/factory.js';
import { serviceGraphConnector } from './connectors/service_graph/factory.js';
import { spanMetricsConnector } from './connectors/span_metrics/factory.js';
import { timeByCauseConnector } from './connectors/time_by_cause/factory.js';
import { debugExporter } from './exporters/debug/factory.js';
import { fileExporter } from './exporters/file/factory.js';
import { nopExporter } from './exporters/nop/factory.js';
import { otlpGrpcExporter } from './exporters/otlp_grpc/factory.js';
import { otlpHttpExporter } from './exporters/otlp_http/factory.js';
import { prometheusExporter } from './exporters/prometheus/factory.js';
import { storeExporter } from './exporters/store/factory.js';
import { terminalExporter } from './exporters/terminal/factory.js';
import { zipkinExporter } from './exporters/zipkin/factory.js';
import { basicAuthExtension } from './extensions/basicauth/factory.js';
import { bearerTokenAuthExtension } from './extensions/bearertokenauth/factory.js';
import { controlExtension } from './extensions/control/factory.js';
import { fileStorageExtension } from './extensions/file_storage/factory.js';
import { healthCheckExtension } from './extensions/health_check/factory.js';
import { pprofExtension } from './extensions/pprof/factory.js';
import { zpagesExtension } from './extensions/zpages/factory.js';
import { attributesProcessor } from './processors/attributes/factory.js';
import { batchProcessor } from './processors/batch/factory.js';
import { filterProcessor } from './processors/filter/factory.js';
import { memoryLimiterProcessor } from './processors/memory_limiter/factory.js';
import { probabilisticSamplerProcessor } from './processors/probabilistic_sampler/factory.js';
import { resourceProcessor } from './processors/resource/factory.js';
import { resourceDetectionProcessor } from './processors/resource_detection/factory.js';
import { tailSamplingProcessor } from './processors/tail_sampling/factory.js';
import { traceProfilingProcessor } from './processors/trace_profiling/factory.js';
import { transformProcessor } from './processors/transform/factory.js';
import { ebpfReceiver } from './receiver/ebpf/factory.js';
import { hostMetricsReceiver } from './receiver/host_metrics/factory.js';
import { jaegerReceiver } from './receiver/jaeger/factory.js';
import { nopReceiver } from './receiver/nop/factory.js';
import { otlpReceiver } from './receiver/otlp/factory.js';
import { replayReceiver } from './receiver/replay/factory.js';
import { skywalkingReceiver } from './receiver/skywalking/factory.js';
import { zipkinReceiver } from './receiver/zipkin/factory.js';

export const COMPONENTS: readonly AnyFactory[] = [
  forwardConnector,
  serviceGraphConnector,
  spanMetricsConnector,
  timeByCauseConnector,
  debugExporter,
  fileExporter,
  nopExporter,
  otlpGrpcExporter,
  otlpHttpExporter,
  prometheusExporter,
  storeExporter,
  terminalExporter,
  zipkinExporter,
  basicAuthExtension,
  bearerTokenAuthExtension,
  controlExtension,
  fileStorageExtension,
  healthCheckExtension,
  pprofExtension,
  zpagesExtension,
  attributesProcessor,
  batchProcessor,
  filterProcessor,
  memoryLimiterProcessor,
  probabilisticSamplerProcessor,
  resourceProcessor,
  resourceDetectionProcessor,
  tailSamplingProcessor,
  traceProfilingProcessor,
  transformProcessor,
  ebpfReceiver,
  hostMetricsReceiver,
  jaegerReceiver,
  nopReceiver,
  otlpReceiver,
  replayReceiver,
  skywalkingReceiver,
  zipkinReceiver,
];
