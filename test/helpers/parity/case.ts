/** Cases in which Kindling is compared with a real Collector: one component, its settings and an input. */

export type ParitySignal = 'traces' | 'metrics' | 'logs';
/** Exporters take profiles too. */
export type ExportedSignal = ParitySignal | 'profiles';

/** What is asked. The program in scripts/otelcol/reference reads the same shape. */
export interface ParityCase {
  /** Unique within a group; says what is asked. */
  readonly id: string;
  readonly component: string;
  readonly signal: ExportedSignal;
  /** YAML; `DIRECTORY` in an exporter's stands for an empty directory. */
  readonly config: string;
  /** Name of one of `INPUTS`. */
  readonly input: string;
  /** Environment variables while the case runs. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long a Collector is given between the input and its end, for components that decide later. */
  readonly waitMs?: number;
  /** How often the input is given; once when left out. */
  readonly repeat?: number;
}

/** What a component did. */
export interface ParityAnswer {
  /** The settings are refused with this sentence. */
  readonly configError?: string;
  /** The settings are good by themselves, but the component can't be made for this signal. */
  readonly createError?: string;
  readonly startError?: string;
  /** The batch is refused with this sentence. */
  readonly consumeError?: string;
  /** What left, as OTLP/JSON. */
  readonly output?: unknown;
  /** Messages of warnings and errors; of the `debug` exporter all. */
  readonly logs?: readonly string[];
  /** What an exporter wrote to `DIRECTORY`, in base64, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

export type ParityAnswers = Readonly<Record<string, ParityAnswer>>;

const STATEMENTS = {
  traces: 'trace_statements',
  metrics: 'metric_statements',
  logs: 'log_statements',
} as const;

/** `transform` with statements that name their contexts; errors on data are told. */
export function transformCase(
  signal: ParitySignal,
  statements: string | readonly string[],
  input: string = signal,
): ParityCase {
  const list = typeof statements === 'string' ? [statements] : statements;
  const config = JSON.stringify({ error_mode: 'propagate', [STATEMENTS[signal]]: list });
  return { id: `${input}: ${list.join('; ')}`, component: 'transform', signal, config, input };
}

/** A case with settings written as an object. */
export function configCase(
  component: string,
  signal: ExportedSignal,
  config: object,
  input: string = signal,
): ParityCase {
  const text = JSON.stringify(config);
  return { id: `${component} ${input}: ${text}`, component, signal, config: text, input };
}
