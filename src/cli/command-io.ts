/** What a command may touch of the process around it; replaced in tests. */
export interface CommandIo {
  readonly stdout: CommandOutput;
  readonly stderr: CommandOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface CommandOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** The real one. A reader that goes away (`| head`) ends the output, not the program. */
export const processIo = (): CommandIo => {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.listenerCount('error') === 0) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error;
      });
    }
  }
  return { stdout: process.stdout, stderr: process.stderr, env: process.env, now: Date.now };
};

/** What is wrong with the arguments; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Runs `command` and turns its errors into a message and an exit code: 2 for wrong arguments, 1 for the rest. */
export const runCommand = async (
  name: string,
  io: CommandIo,
  command: () => Promise<number>,
): Promise<number> => {
  try {
    return await command();
  } catch (error) {
    const usage = error instanceof UsageError || (error instanceof TypeError && isParseArgsError(error));
    io.stderr.write(`kindling ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    if (usage) io.stderr.write(`Try "kindling ${name} --help".\n`);
    return usage ? 2 : 1;
  }
};

const isParseArgsError = (error: TypeError): boolean =>
  String((error as NodeJS.ErrnoException).code ?? '').startsWith('ERR_PARSE_ARGS');
