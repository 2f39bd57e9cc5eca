/**
 * A model of what the net programs keep of a socket and write for each operation on it (bpf/programs/net): turns,
 * positions, the capture budget of a turn, and records that are lost although the counting goes on.
 */
import { closeRecord, dataRecord, openRecord, type TestTuple, turnsRecord } from './kernel-records.js';

export interface ModelOptions {
  readonly captureBytes?: number;
  /** Decides for each record whether it is lost. */
  readonly lose?: (kind: 'data' | 'open' | 'close') => boolean;
  readonly onRecord: (record: Buffer) => void;
}

export class KernelModel {
  readonly options: ModelOptions;
  time = 1_000_000_000;
  /** What the kernel has noted of lost records, by cookie (bpf/programs/net/loss.bpf.h). */
  readonly #notes = new Map<number, Buffer>();
  #nextCookie = 1;

  constructor(options: ModelOptions) {
    this.options = options;
  }

  /** The two ends of a new connection. */
  connect(client: readonly [string, number], server: readonly [string, number], opened = true): SocketPair {
    const cookies = [this.#nextCookie++, this.#nextCookie++] as const;
    const positions = [(cookies[0] * 0x9e3779b1) >>> 0, (cookies[1] * 0x85ebca77) >>> 0] as const;
    return {
      client: new SocketModel(this, cookies[0], opened ? 1 : 0, { local: client, remote: server }, positions),
      server: new SocketModel(this, cookies[1], opened ? 2 : 0, { local: server, remote: client }, [
        positions[1],
        positions[0],
      ]),
    };
  }

  /** `note`: the cookie, and the record that tells of the loss of this one. */
  write(kind: 'data' | 'open' | 'close', record: Buffer, note?: readonly [number, Buffer]): void {
    if (this.options.lose?.(kind) !== true) this.options.onRecord(record);
    else if (note !== undefined) this.#notes.set(...note);
  }

  /** There is room again. */
  flush(): void {
    for (const note of this.#notes.values()) this.options.onRecord(note);
    this.#notes.clear();
  }
}

export interface SocketPair {
  readonly client: SocketModel;
  readonly server: SocketModel;
}

export class SocketModel {
  readonly cookie: number;
  readonly tuple: TestTuple;
  tgid: number;
  tid: number;
  turn = 0;
  readonly #model: KernelModel;
  readonly #role: number;
  readonly #positions: [send: number, receive: number];
  #moved: boolean | undefined;
  #captured = 0;
  #opened: boolean;

  constructor(
    model: KernelModel,
    cookie: number,
    role: number,
    tuple: TestTuple,
    positions: readonly [number, number],
  ) {
    this.#model = model;
    this.cookie = cookie;
    this.#role = role;
    this.#opened = role === 0;
    this.tuple = tuple;
    this.#positions = [...positions];
    this.tgid = role === 2 ? 200 : 100;
    this.tid = this.tgid + 1;
  }

  send(payload: Uint8Array | string): void {
    this.#move(true, payload);
  }

  receive(payload: Uint8Array | string, flags = 0): void {
    this.#move(false, payload, flags);
  }

  /** Reads without taking (MSG_PEEK). */
  peek(payload: Uint8Array | string): void {
    this.#move(false, payload, 0, false);
  }

  close(error = 0): void {
    const { cookie, tuple, turn } = this;
    const record = closeRecord({ cookie, tuple, turns: turn, error, time: this.#tick() });
    this.#model.write('close', record, [cookie, record]);
  }

  #move(egress: boolean, content: Uint8Array | string, flags = 0, take = true): void {
    const payload = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    const { cookie, tuple } = this;
    if (!this.#opened) {
      this.#opened = true;
      this.#model.write(
        'open',
        openRecord({ cookie, tuple, role: this.#role, tgid: this.tgid, time: this.#tick() }),
      );
    }
    const firstOfTurn = this.#moved !== egress;
    if (firstOfTurn) {
      this.#moved = egress;
      this.turn++;
      this.#captured = 0;
    }
    const budget = (this.#model.options.captureBytes ?? 1024) - this.#captured;
    const captured = Math.min(budget, payload.length);
    this.#captured += captured;
    const direction = egress ? 0 : 1;
    this.#model.write(
      'data',
      dataRecord({
        cookie,
        tuple,
        time: this.#tick(),
        tgid: this.tgid,
        tid: this.tid,
        position: this.#positions[direction],
        turn: this.turn,
        egress,
        role: this.#role,
        flags,
        payload,
        captured,
      }),
      firstOfTurn
        ? [cookie, turnsRecord({ cookie, tuple, turns: this.turn, time: this.#model.time })]
        : undefined,
    );
    if (take) this.#positions[direction] = (this.#positions[direction] + payload.length) >>> 0;
  }

  #tick(): number {
    this.#model.time += 10_000;
    return this.#model.time;
  }
}
