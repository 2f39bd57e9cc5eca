/** A watched application of the overhead benchmark and the load on it. */

export interface Load {
  /** Requests (operations, transactions) that completed. */
  readonly requests: number;
  readonly p50Us: number | undefined;
  readonly p99Us: number | undefined;
}

export interface Target {
  /** Root of the application's processes. */
  readonly pid: number;
  /** What the agent is told to watch. */
  readonly include: { readonly pids?: readonly number[]; readonly commands?: readonly string[] };
  /** Runs the load generator; `rate` requests per second, about, or as fast as it goes. */
  load(seconds: number, rate: number | undefined): Promise<Load>;
  stop(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** The agent makes one span of each request on the watched side. False where it does not parse the protocol yet. */
  readonly spans: boolean;
  /** Rejects with `MissingTool` when it can't run here. */
  start(): Promise<Target>;
}

/** The subject is left out, and the report says why. */
export class MissingTool extends Error {}
