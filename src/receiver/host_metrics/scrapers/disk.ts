/**
 * Disks and file systems. Sources: Linux, Documentation/admin-guide/iostats.rst (/proc/diskstats), proc(5) for
 * /proc/mounts.
 */
import { statfsSync } from 'node:fs';
import { counter, type HostFiles, type Measurement, upDownCounter } from '../measurement.js';

/** Of /proc/diskstats, whatever the device's own sectors are. */
const SECTOR_BYTES = 512;
const IO = counter('system.disk.io', 'By', 'Disk bytes transferred.');
const OPERATIONS = counter('system.disk.operations', '{operation}', 'Disk operations.');
const MERGED = counter('system.disk.merged', '{operation}', 'Operations that were merged into one.');
const IO_TIME = counter('system.disk.io_time', 's', 'Time that the disk was busy.');
const OPERATION_TIME = counter('system.disk.operation_time', 's', 'Time that operations took, added up.');
const USAGE = upDownCounter('system.filesystem.usage', 'By', 'Space of file systems by state.');
const LIMIT = upDownCounter('system.filesystem.limit', 'By', 'Space of file systems.');

/** Memory files and loop devices of images, which nobody means by "disk". */
const NO_DISK = /^(?:ram|loop|zram)\d/;
const DISK_FILE_SYSTEMS = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'f2fs',
  'vfat',
  'exfat',
  'ntfs3',
  'overlay',
  'bcachefs',
  'nfs',
  'nfs4',
]);

export function scrapeDisk(files: HostFiles): Measurement[] {
  return files.lines('/proc/diskstats').flatMap((line) => {
    const [, , device = '', ...fields] = line.trim().split(/\s+/);
    if (device === '' || NO_DISK.test(device) || fields.length < 11) return [];
    const numbers = fields.map(Number);
    const both = (metric: typeof IO, read: number, write: number, scale = 1): Measurement[] => [
      {
        metric,
        attributes: { 'system.device': device, 'disk.io.direction': 'read' },
        value: numbers[read]! * scale,
      },
      {
        metric,
        attributes: { 'system.device': device, 'disk.io.direction': 'write' },
        value: numbers[write]! * scale,
      },
    ];
    return [
      ...both(OPERATIONS, 0, 4),
      ...both(MERGED, 1, 5),
      ...both(IO, 2, 6, SECTOR_BYTES),
      ...both(OPERATION_TIME, 3, 7, 0.001),
      { metric: IO_TIME, attributes: { 'system.device': device }, value: numbers[9]! / 1000 },
    ];
  });
}

/** Mounts of one device once, at its first place: bind mounts and containers repeat them by the hundred. */
export function scrapeFilesystem(files: HostFiles): Measurement[] {
  const seen = new Set<string>();
  return files.lines('/proc/self/mounts').flatMap((line) => {
    const [device = '', encoded = '', type = '', options = ''] = line.split(' ');
    if (!DISK_FILE_SYSTEMS.has(type) || seen.has(device)) return [];
    seen.add(device);
    // Spaces and the like in octal.
    const mountpoint = encoded.replaceAll(/\\(\d{3})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    let space: { bsize: number; blocks: number; bfree: number; bavail: number };
    try {
      space = statfsSync(`${files.root}${mountpoint}`);
    } catch {
      return [];
    }
    const { bsize, blocks, bfree, bavail } = space;
    const attributes = {
      'system.device': device,
      'system.filesystem.type': type,
      'system.filesystem.mode': /(?:^|,)ro(?:,|$)/.test(options) ? 'ro' : 'rw',
      'system.filesystem.mountpoint': mountpoint,
    };
    const states = { used: blocks - bfree, free: bavail, reserved: bfree - bavail };
    return [
      ...Object.entries(states).map(([state, value]) => ({
        metric: USAGE,
        attributes: { ...attributes, 'system.filesystem.state': state },
        value: value * bsize,
      })),
      { metric: LIMIT, attributes, value: blocks * bsize },
    ];
  });
}

export const DISK_METRICS = [IO, OPERATIONS, MERGED, IO_TIME, OPERATION_TIME, USAGE, LIMIT];
