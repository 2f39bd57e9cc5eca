/** /proc/PID/stat and /proc/PID/status. Format: proc(5); Linux, fs/proc/array.c. */

export interface ProcessStat {
  readonly comm: string;
  readonly parentPid: number;
  /** Clock ticks since boot (field 22). */
  readonly startTicks: number;
}

/**
 * Parses the line of /proc/PID/stat. The command name is in parentheses and may itself hold spaces, parentheses and
 * line breaks, so the fields are counted from its last closing one. Undefined when the line is not whole.
 */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(' ');
  const parentPid = Number(fields[1]);
  const startTicks = Number(fields[19]);
  if (!Number.isSafeInteger(startTicks) || startTicks < 0 || !Number.isSafeInteger(parentPid))
    return undefined;
  return { comm: text.slice(open + 1, close), parentPid, startTicks };
}

/** pid in the innermost pid namespace: the last number of `NSpid` in /proc/PID/status, or undefined. */
export function parseNamespacePid(status: string): number | undefined {
  const match = /^NSpid:[\t\d]*?\t(\d+)$/m.exec(status);
  return match ? Number(match[1]) : undefined;
}
