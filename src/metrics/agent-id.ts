import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Tells this agent from those of other machines, and is the same after a restart:
 * https://www.freedesktop.org/software/systemd/man/machine-id.html, which is not to be shown, so only hashes of it are
 * (`instanceId`). With the host's name, because clones of a machine share the file.
 */
export function agentId(): string {
  try {
    return `${readFileSync('/etc/machine-id', 'utf8').trim()} ${hostname()}`;
  } catch {
    return hostname();
  }
}
