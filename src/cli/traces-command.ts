import type { Command } from './command.js';
import { runTrace, runTraces } from './traces.js';

export const traceCommand: Command = (args) => runTrace(args);
export const tracesCommand: Command = (args) => runTraces(args);
