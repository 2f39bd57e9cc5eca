/** What a backend does with the first request of an exporter; the second one it accepts. */

export interface HttpScript {
  readonly id: string;
  readonly protocol: 'http';
  /** Bytes to answer with, as they are. */
  readonly answer: Buffer;
  /** Close the connection then. */
  readonly close?: 'end' | 'reset';
  /** More settings of the exporter, in YAML's flow style. */
  readonly config?: string;
}

export interface GrpcScript {
  readonly id: string;
  readonly protocol: 'grpc';
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Buffer;
  readonly trailers?: readonly (readonly [string, string])[];
  /** RST_STREAM after what is there of the answer. */
  readonly reset?: number;
  /** GOAWAY, or the end of the connection. */
  readonly close?: 'goaway' | 'end';
  readonly config?: string;
}

export type Script = HttpScript | GrpcScript;

/** What the exporter made of it. */
export interface ExportOutcome {
  /** How often it sent the batch. */
  readonly attempts: number;
  /** Counters of spans. */
  readonly sent: number;
  readonly failed: number;
  /** Level, sentence and the fields that say why. */
  readonly logs: readonly ExportLog[];
}

export interface ExportLog {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export type ExportOutcomes = Readonly<Record<string, ExportOutcome>>;
