import type { Exporter, Host, ServiceKey, Settings } from '../../component/component.js';
import { PermanentError, RetryableError } from '../../component/errors.js';
import type { Batch, Signal } from '../../component/signal.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { type FileConfig, permissionsOf } from './config.js';
import { FilePool } from './file-pool.js';
import { groupBy, pathOf } from './group-by.js';
import { isLines, recordOf } from './record.js';

/** The open files, shared by the instances (one for each signal) that write to them. */
interface SharedFiles {
  readonly pool: FilePool;
  users: number;
}

const sharedFilesKey = (path: string): ServiceKey<SharedFiles> => ({ name: `file exporter ${path}` });

const DAY_MS = 24 * 60 * 60 * 1000;

/** What goes to one file. */
interface Piece {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly itemCount: number;
}

/**
 * Writes each batch as one record, with `group_by` one for each group. It counts as sent when its record is in the file (not
 * when it is on the disk: the operating system decides that) and as dropped with reason `write_failed` when it can't be
 * written, `no_group` when its resource lacks the attribute.
 */
export class FileExporter implements Exporter {
  readonly #settings: Settings;
  readonly #config: FileConfig;
  readonly #signal: Signal;
  #shared: SharedFiles | undefined;
  #heldItems = 0;

  constructor(settings: Settings, config: FileConfig, signal: Signal) {
    this.#settings = settings;
    this.#config = config;
    this.#signal = signal;
  }

  /** Rejects when the file can't be opened. */
  async start(host: Host): Promise<void> {
    const { path, group_by: group } = this.#config;
    const key = sharedFilesKey(path);
    let shared = host.service(key);
    if (shared === undefined) {
      shared = { pool: this.#createPool(), users: 0 };
      host.provide(key, shared);
    }
    shared.users += 1;
    this.#shared = shared;
    if (!group.enabled) await shared.pool.open(path);
  }

  async consume(batch: Batch): Promise<void> {
    const { metrics } = this.#settings;
    const { itemCount } = batch;
    const shared = this.#shared;
    metrics.received(this.#signal, itemCount);
    if (shared === undefined) {
      metrics.dropped(this.#signal, itemCount, 'shutdown');
      throw new RetryableError('exporter is stopped');
    }
    this.#hold(itemCount);
    let records: { readonly piece: Piece; readonly record: Buffer }[];
    try {
      records = await Promise.all(
        this.#piecesOf(batch).map(async (piece) => ({
          piece,
          record: await recordOf({ signal: batch.signal, bytes: piece.bytes }, this.#config),
        })),
      );
    } catch (error) {
      this.#hold(-itemCount);
      metrics.dropped(this.#signal, itemCount, 'malformed');
      if (error instanceof MalformedError) throw new PermanentError(error.message, { cause: error });
      throw error;
    }
    const grouped = records.reduce((sum, { piece }) => sum + piece.itemCount, 0);
    if (grouped < itemCount) {
      this.#hold(grouped - itemCount);
      metrics.dropped(this.#signal, itemCount - grouped, 'no_group');
    }
    for (const { piece, record } of records) {
      await shared.pool.append(piece.path, record, (error) => this.#settle(piece, error));
    }
  }

  async shutdown(_deadline: AbortSignal): Promise<void> {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared === undefined) return;
    shared.users -= 1;
    if (shared.users === 0) await shared.pool.close();
    else await shared.pool.flush();
  }

  #createPool(): FilePool {
    const { rotation, group_by: group, create_directory: createDirectory } = this.#config;
    return new FilePool({
      append: this.#config.append,
      isLines: isLines(this.#config),
      flushIntervalMs: this.#config.flush_interval,
      maxBytes: (rotation?.max_megabytes ?? 0) * 1024 * 1024,
      maxBackups: rotation?.max_backups ?? 0,
      maxAgeMs: (rotation?.max_days ?? 0) * DAY_MS,
      localTime: rotation?.localtime ?? false,
      now: this.#settings.now,
      maxOpenFiles: group.enabled ? group.max_open_files : undefined,
      directoryMode:
        createDirectory || group.enabled ? permissionsOf(this.#config.directory_permissions) : undefined,
    });
  }

  /** Throws `MalformedError`. */
  #piecesOf({ signal, bytes, itemCount }: Batch): Piece[] {
    const { path, group_by: group } = this.#config;
    if (!group.enabled) return [{ path, bytes, itemCount }];
    const groups = groupBy(signal, bytes, group.resource_attribute);
    return [...groups].map(([segment, one]) => ({ ...one, path: pathOf(path, segment) }));
  }

  #settle({ path, itemCount }: Piece, error: Error | undefined): void {
    const { metrics, logger } = this.#settings;
    this.#hold(-itemCount);
    if (error === undefined) {
      metrics.sent(this.#signal, itemCount);
      return;
    }
    metrics.dropped(this.#signal, itemCount, 'write_failed');
    logger.error('Writing to the file failed. Dropping data.', {
      path,
      error: error.message,
      dropped_items: itemCount,
    });
  }

  #hold(items: number): void {
    this.#heldItems += items;
    this.#settings.metrics.held(this.#signal, this.#heldItems);
  }
}
