/** Finds the store that a command reads: `--store`, else KINDLING_STORE, else the default place written to last. */
import { stat } from 'node:fs/promises';
import { indexTraces } from '../store/index-traces.js';
import {
  expandHome,
  LOCAL_STORE_DIRECTORY,
  SYSTEM_STORE_DIRECTORY,
  signalDirectory,
} from '../store/layout.js';
import { StoreReader } from '../store/store-reader.js';
import type { CliIo } from './command.js';

export interface OpenedStore {
  readonly directory: string;
  readonly reader: StoreReader;
}

/** Rejects with a message for the user when there is no store. */
export const openStore = async (asked: string | undefined, io: CliIo): Promise<OpenedStore> => {
  const named = asked ?? io.env.KINDLING_STORE;
  const directory = named !== undefined && named !== '' ? expandHome(named) : await findDefault();
  try {
    return { directory, reader: await StoreReader.open(directory, 'traces', indexTraces) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new Error(
        `There is no store in ${directory}. Start the agent with an exporter \`store\`, or name its directory: --store DIR.`,
        { cause: error },
      );
    }
    if (code === 'EACCES') {
      throw new Error(`The store ${directory} can not be read by this user (try sudo).`, { cause: error });
    }
    throw error;
  }
};

const findDefault = async (): Promise<string> => {
  const places = [LOCAL_STORE_DIRECTORY, SYSTEM_STORE_DIRECTORY];
  const used = await Promise.all(places.map(lastUseMs));
  return (used[1] ?? 0) > (used[0] ?? 0) ? SYSTEM_STORE_DIRECTORY : LOCAL_STORE_DIRECTORY;
};

/** The folder changes when an agent takes its lock, and with every new segment. */
const lastUseMs = (directory: string): Promise<number> =>
  stat(signalDirectory(directory, 'traces')).then(
    (found) => found.mtimeMs,
    () => 0,
  );
