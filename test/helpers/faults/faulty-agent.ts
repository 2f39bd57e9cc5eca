import type { Running } from '../agent.js';

interface Options {
  readonly receiverPort: number;
  readonly backendPort: number;
  /** Address of both; default 127.0.0.1. */
  readonly receiverHost?: string;
  readonly backendHost?: string;
  /** Directory of the persistent queue; left out: the queue is in memory. */
  readonly directory?: string;
  readonly queue?: Record<string, unknown>;
  readonly exporter?: Record<string, unknown>;
  readonly receiver?: Record<string, unknown>;
  readonly service?: Record<string, unknown>;
}

/** `otlp -> otlp_http` with short retry intervals, as JSON (which is YAML). */
export function faultConfig(options: Options): string {
  const { directory, queue = {}, exporter = {}, receiver = {}, service = {} } = options;
  const { receiverHost = '127.0.0.1', backendHost = '127.0.0.1' } = options;
  return JSON.stringify({
    receivers: {
      otlp: { protocols: { http: { endpoint: `${receiverHost}:${options.receiverPort}`, ...receiver } } },
    },
    exporters: {
      otlp_http: {
        endpoint: `http://${backendHost}:${options.backendPort}`,
        timeout: '500ms',
        retry_on_failure: { initial_interval: '20ms', max_interval: '100ms', max_elapsed_time: '0s' },
        sending_queue: { ...(directory === undefined ? {} : { storage: 'file_storage' }), ...queue },
        ...exporter,
      },
    },
    ...(directory === undefined
      ? {}
      : { extensions: { file_storage: { directory, segment_size: '64KiB', create_directory: true } } }),
    service: {
      ...(directory === undefined ? {} : { extensions: ['file_storage'] }),
      telemetry: { metrics: { level: 'none' }, logs: { sampling: { enabled: false } } },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_http'] } },
      ...service,
    },
  });
}

export interface ExporterAccount {
  readonly received: number;
  readonly sent: number;
  readonly dropped: number;
  readonly held: number;
  readonly reasons: string;
}

/** The exporter's line in the table that the agent prints when it stops. */
export function exporterAccount({ stderr }: Running, exporter = 'otlp_http'): ExporterAccount {
  const line = stderr()
    .split('\n')
    .find((one) => one.startsWith(`exporter ${exporter} (traces)`));
  const match = /traces\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*(.*)$/.exec(line ?? '');
  if (match === null) throw new Error(`no account of the exporter in:\n${stderr()}`);
  const [received = 0, sent = 0, dropped = 0, held = 0] = match.slice(1, 5).map(Number);
  return { received, sent, dropped, held, reasons: match[5] ?? '' };
}
