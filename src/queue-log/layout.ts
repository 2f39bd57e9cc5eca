import type { QueueClient } from '../component/storage.js';

const SUFFIX = '.queue';

/**
 * Name of a client's directory, made as the Collector makes the names of its database files
 * (`exporter_otlp_grpc__traces`): kind, type, name and signal, other characters as `~` and four hexadecimal digits. The
 * suffix keeps the two apart in a directory that a Collector has used.
 */
export function queueDirectoryName({ kind, id, signal }: QueueClient): string {
  const slash = id.indexOf('/');
  const type = slash < 0 ? id : id.slice(0, slash);
  const name = slash < 0 ? '' : id.slice(slash + 1);
  return [kind, type, name, signal].map(escapeName).join('_') + SUFFIX;
}

export const isQueueDirectoryName = (name: string): boolean => name.endsWith(SUFFIX);

const escapeName = (text: string): string =>
  text.replace(/[^A-Za-z0-9._-]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `~${character.charCodeAt(unit).toString(16).toUpperCase().padStart(4, '0')}`,
    ).join(''),
  );
