/**
 * The gRPC services that agents call (https://github.com/apache/skywalking-data-collect-protocol/tree/v10.3.0). What is not
 * telemetry is answered with no commands, which keeps an agent connected and changes nothing in it.
 *
 * An agent takes UNAVAILABLE, UNKNOWN and RESOURCE_EXHAUSTED for a broken connection and leaves it, and it sends nothing again:
 * what the pipeline refuses is counted, and the call succeeds. Only `collectInSync` tells its caller.
 */
import type { Origin } from '../../component/signal.js';
import { decodeMessage } from '../../otlp/decode.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import type { MessageDef } from '../../otlp/schema.js';
import { type Delivery, type Intake, Refusal } from '../../pipeline/intake.js';
import type { StreamCall, StreamMethod, UnaryMethod } from '../../transport/grpc-server.js';
import { GRPC_STATUS, RpcError } from '../../transport/grpc-status.js';
import { requestMetadata } from '../../transport/request-metadata.js';
import { encodeLog } from './logs-to-otlp.js';
import { encodeClrMetrics, encodeJvmMetrics, encodeMeters } from './metrics-to-otlp.js';
import type { ClrMetric, JvmMetric, LogData, Meter, OfInstance, Segment } from './model.js';
import { CLR_METRICS, JVM_METRICS, LOG_DATA, METER, METERS, SEGMENT, SEGMENTS } from './proto.js';
import { encodeSegments } from './segments-to-otlp.js';

/** An empty `Commands`. */
const NO_COMMANDS = new Uint8Array(0);
/** Meters of one stream that wait for its end. */
const MAX_METERS = 10_000;

const ANSWERED = [
  'ManagementService/keepAlive',
  'ManagementService/reportInstanceProperties',
  'ConfigurationDiscoveryService/fetchConfigurations',
  'ProfileTask/getProfileTaskCommands',
  'ProfileTask/reportTaskFinish',
  'AsyncProfilerTask/getAsyncProfilerTaskCommands',
  'PprofTask/getPprofTaskCommands',
];
const ANSWERED_STREAMS = [
  'EventService/collect',
  'ProfileTask/collectSnapshot',
  'ProfileTask/goProfileReport',
  'BrowserPerfService/collectErrorLogs',
  'SpanAttachedEventReportService/collect',
];

export interface Intakes {
  readonly traces: Intake | undefined;
  readonly metrics: Intake | undefined;
  readonly logs: Intake | undefined;
}

export interface ServiceOptions {
  readonly intakes: Intakes;
  readonly keepMetadata: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Encoded = { readonly bytes: Uint8Array; readonly itemCount: number };
type Way = Pick<Delivery, 'connection' | 'metadata'>;

/** By path. Each is also there without the package, for old agents. */
export function skywalkingServices(options: ServiceOptions): ReadonlyMap<string, UnaryMethod | StreamMethod> {
  const { intakes, now } = options;
  const methods: [string, UnaryMethod | StreamMethod][] = [
    ...ANSWERED.map((name): [string, UnaryMethod] => [name, NOTHING]),
    ...ANSWERED_STREAMS.map((name): [string, StreamMethod] => [name, NOTHING_STREAM]),
    ['BrowserPerfService/collectPerfData', NOTHING],
    [
      'TraceSegmentReportService/collect',
      stream(options, intakes.traces, () => (bytes) => encodeSegments([decode<Segment>(SEGMENT, bytes)])),
    ],
    [
      'TraceSegmentReportService/collectInSync',
      unary(options, intakes.traces, (bytes) =>
        encodeSegments(decode<{ segments: readonly Segment[] }>(SEGMENTS, bytes).segments),
      ),
    ],
    [
      'JVMMetricReportService/collect',
      unary(options, intakes.metrics, (bytes) =>
        encodeJvmMetrics(decode<OfInstance<JvmMetric>>(JVM_METRICS, bytes)),
      ),
    ],
    [
      'CLRMetricReportService/collect',
      unary(options, intakes.metrics, (bytes) =>
        encodeClrMetrics(decode<OfInstance<ClrMetric>>(CLR_METRICS, bytes)),
      ),
    ],
    ['MeterReportService/collect', meterStream(options, intakes.metrics)],
    [
      'MeterReportService/collectBatch',
      stream(
        options,
        intakes.metrics,
        () => (bytes) => encodeMeters(decode<{ meters: readonly Meter[] }>(METERS, bytes).meters, now()),
      ),
    ],
    ['LogReportService/collect', stream(options, intakes.logs, () => logReader(now))],
  ];
  return new Map(
    methods.flatMap(([name, method]) => [
      [`/skywalking.v3.${name}`, method] as const,
      [`/${name}`, method] as const,
    ]),
  );
}

const decode = <T>(def: MessageDef, bytes: Uint8Array): T => decodeMessage(def, bytes) as T;

/** The logs of a stream share service and instance with the one before where they do not say. */
function logReader(now: () => number): (bytes: Uint8Array) => Encoded {
  let service = '';
  let instance = '';
  return (bytes) => {
    const log = decode<LogData>(LOG_DATA, bytes);
    service = log.service || service;
    instance = log.serviceInstance || instance;
    return encodeLog(log, service, instance, now());
  };
}

const NOTHING: UnaryMethod = { handle: async () => NO_COMMANDS, refused: () => {} };
const NOTHING_STREAM: StreamMethod = {
  open: () => ({ message: async () => {}, dropped: () => {}, end: async () => NO_COMMANDS }),
  refused: () => {},
};

/** A signal without a pipeline is taken and forgotten: the agent has nobody else to tell. */
function unary(
  { keepMetadata }: ServiceOptions,
  intake: Intake | undefined,
  encode: (bytes: Uint8Array) => Encoded,
): UnaryMethod {
  if (intake === undefined) return NOTHING;
  return {
    async handle(message, connection, headers) {
      const metadata = keepMetadata ? requestMetadata(headers) : undefined;
      try {
        await deliver(intake, encode(message), { connection, metadata });
      } catch (error) {
        throw toldToCaller(error, intake);
      }
      return NO_COMMANDS;
    },
    refused: (error) => intake.refusedCall(error, 'grpc'),
  };
}

function stream(
  { keepMetadata }: ServiceOptions,
  intake: Intake | undefined,
  reader: () => (bytes: Uint8Array) => Encoded,
): StreamMethod {
  if (intake === undefined) return NOTHING_STREAM;
  return {
    open(connection, headers): StreamCall {
      const metadata = keepMetadata ? requestMetadata(headers) : undefined;
      const encode = reader();
      return {
        message: (bytes) => forgiving(intake, () => deliver(intake, encode(bytes), { connection, metadata })),
        dropped: () => intake.lost('memory_budget', 'grpc'),
        end: async () => NO_COMMANDS,
      };
    },
    refused: (error) => intake.refusedCall(error, 'grpc'),
  };
}

/** The meters of a report come one by one, and only the first says whose they are and when: they leave together. */
function meterStream({ now, keepMetadata }: ServiceOptions, intake: Intake | undefined): StreamMethod {
  if (intake === undefined) return NOTHING_STREAM;
  return {
    open(connection: Origin['connection'], headers): StreamCall {
      const metadata = keepMetadata ? requestMetadata(headers) : undefined;
      let meters: Meter[] = [];
      let first: Meter | undefined;
      const flush = async (): Promise<void> => {
        const full = meters;
        meters = [];
        if (full.length === 0) return;
        await forgiving(intake, () => deliver(intake, encodeMeters(full, now()), { connection, metadata }));
      };
      return {
        message: (bytes) =>
          forgiving(intake, async () => {
            const meter = decode<Meter>(METER, bytes);
            first ??= meter;
            meters.push(meters.length === 0 ? withOwner(meter, first) : meter);
            if (meters.length >= MAX_METERS) await flush();
          }),
        dropped: () => intake.lost('memory_budget', 'grpc'),
        end: async () => {
          await flush();
          return NO_COMMANDS;
        },
      };
    },
    refused: (error) => intake.refusedCall(error, 'grpc'),
  };
}

const withOwner = (meter: Meter, first: Meter): Meter => ({
  ...meter,
  service: meter.service || first.service,
  serviceInstance: meter.serviceInstance || first.serviceInstance,
  timestamp: meter.timestamp > 0n ? meter.timestamp : first.timestamp,
});

async function deliver(intake: Intake, encoded: Encoded, way: Way): Promise<void> {
  if (encoded.itemCount > 0) await intake.deliver({ ...encoded, ...way, transport: 'grpc' });
}

/** Counts what is broken and what was refused, and goes on with the stream. */
async function forgiving(intake: Intake, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof MalformedError) intake.lost('malformed', 'grpc');
    else if (!(error instanceof Refusal)) throw error;
  }
}

/** In a code that an agent does not take for a broken connection. */
function toldToCaller(error: unknown, intake: Intake): unknown {
  if (error instanceof MalformedError) {
    intake.lost('malformed', 'grpc');
    return new RpcError(GRPC_STATUS.INTERNAL, `grpc: error unmarshalling request: ${error.message}`);
  }
  if (!(error instanceof Refusal)) return error;
  return new RpcError(error.permanent ? GRPC_STATUS.INVALID_ARGUMENT : GRPC_STATUS.ABORTED, error.message);
}
