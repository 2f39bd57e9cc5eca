/**
 * What the control groups of a process (/proc/PID/cgroup, cgroups(7)) say about who started it.
 *
 * Container runtimes name the group after the container: `/docker/ID`, `docker-ID.scope`, `cri-containerd-ID.scope`,
 * `libpod-ID.scope`, `crio-ID.scope`, `/kubepods/…/podUID/ID`, with ID = 64 hex digits. `*-conmon-ID.scope` holds the
 * runtime's monitor, which is outside of the container. systemd names it after the unit.
 */
export interface ControlGroups {
  readonly containerId: string | undefined;
  /** Name of the systemd service without `.service`. */
  readonly systemdUnit: string | undefined;
}

const CONTAINER = /^(?:(.*)[-:])?([0-9a-f]{64})(?:\.scope)?$/;
const SERVICE = /^(.+)\.service$/;
/** Services that stand for a whole login session. */
const SESSION_SERVICE = /^user(-runtime-dir)?@/;

export function parseControlGroups(text: string): ControlGroups {
  let containerId: string | undefined;
  let systemdUnit: string | undefined;
  for (const line of text.split('\n')) {
    // hierarchy-ID:controllers:path
    const path = line.split(':').slice(2).join(':');
    for (const segment of path.split('/')) {
      const container = CONTAINER.exec(segment);
      if (container && !container[1]?.includes('conmon')) {
        containerId = container[2];
        // Above the container: the runtime's own unit, as in /system.slice/containerd.service/…/ID.
        systemdUnit = undefined;
      }
      const service = SERVICE.exec(segment);
      if (service?.[1] && !SESSION_SERVICE.test(service[1])) systemdUnit = unescapeUnit(service[1]);
    }
  }
  return { containerId, systemdUnit };
}

/** systemd writes what a unit name cannot hold as `\x2d`. */
function unescapeUnit(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
