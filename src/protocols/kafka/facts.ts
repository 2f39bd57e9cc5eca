/** What is kept of a message: collected while its layout is walked through. */
import { TextCache } from '../text-cache.js';
import type { LayoutVisitor, Role } from './layout.js';
import { type RecordBatch, readRecords } from './record-batch.js';
import { NO_ID, type TopicIds } from './topic-ids.js';

/** Topics of one message that are kept, and ids that are learnt from one. */
const MAX_TOPICS = 64;
const MAX_LEARNT = 4096;

/** One for the thread: names of topics and clients are nothing of any connection. */
const texts = new TextCache();

export const textOf = (bytes: Buffer, start: number, end: number): string => texts.text(bytes, start, end);

/** A topic in a message: by name, by id, or both. */
export interface KafkaTopic {
  name: string;
  id: string;
  /** The only partition that was named; -1 for none or several. */
  partition: number;
  partitions: number;
}

/** Reusable; arrays are new for each message. */
export class KafkaFacts implements LayoutVisitor {
  topics: KafkaTopic[] = [];
  /** Topics that a fetch session gives up. */
  forgotten: KafkaTopic[] = [];
  group = '';
  groups = 0;
  transaction = '';
  /** What FindCoordinator looks for; a group when `keyType` is 0. */
  key = '';
  keyType = 0;
  /** First error of the message; 0 for none. */
  error = 0;
  acks = -1;
  wait = 0;
  least = 0;
  session = 0;
  epoch = -1;
  offset = -1;
  /** Of the first partition that has some. */
  records: RecordBatch | undefined;
  /** Records of all partitions; -1 when not known. */
  recordCount = 0;
  /** Partitions with a field for records. */
  batches = 0;
  /** Position after the last of them. */
  recordsEnd = 0;
  #topic: KafkaTopic | undefined;
  /** Structures around the current field, and around the one that named the topic. */
  #depth = 0;
  #topicDepth = 0;
  #forgetting = false;
  #learnt = 0;
  readonly #ids: TopicIds | undefined;

  /** `ids`: where names are learnt. */
  constructor(ids?: TopicIds) {
    this.#ids = ids;
  }

  reset(): void {
    this.topics = [];
    this.forgotten = [];
    this.group = '';
    this.groups = 0;
    this.transaction = '';
    this.key = '';
    this.keyType = 0;
    this.error = 0;
    this.acks = -1;
    this.wait = 0;
    this.least = 0;
    this.session = 0;
    this.epoch = -1;
    this.offset = -1;
    this.records = undefined;
    this.recordCount = 0;
    this.batches = 0;
    this.#topic = undefined;
    this.#depth = 0;
    this.#forgetting = false;
    this.#learnt = 0;
  }

  enter(role: Role | undefined): void {
    this.#depth++;
    if (role === 'forgotten') this.#forgetting = true;
  }

  leave(role: Role | undefined): void {
    if (this.#depth === this.#topicDepth) this.#topic = undefined;
    this.#depth--;
    if (role === 'forgotten') this.#forgetting = false;
  }

  number(role: Role, value: number): void {
    switch (role) {
      case 'error':
        if (this.error === 0) this.error = value;
        break;
      case 'partition':
        this.#partition(value);
        break;
      case 'acks':
      case 'epoch':
      case 'keyType':
      case 'least':
      case 'session':
      case 'wait':
        this[role] = value;
        break;
      case 'offset':
        if (this.offset < 0) this.offset = value;
        break;
      default:
    }
  }

  text(role: Role, bytes: Buffer, start: number, end: number): void {
    const text = textOf(bytes, start, end);
    switch (role) {
      case 'topic':
        this.#name(text);
        break;
      case 'group':
        this.groups++;
        if (this.group === '') this.group = text;
        break;
      case 'transaction':
      case 'key':
        if (this[role] === '') this[role] = text;
        break;
      default:
    }
  }

  uuid(bytes: Buffer, start: number): void {
    const id = bytes.toString('hex', start, start + 16);
    if (id === NO_ID) return;
    const topic = this.#topic;
    if (topic !== undefined && topic.id === '' && topic.name !== '' && topic.partitions === 0) {
      topic.id = id;
      this.#learn(topic);
    } else this.#add('', id);
  }

  batch(bytes: Buffer, start: number, end: number, length: number): void {
    if (length === 0) return;
    const batch = readRecords(bytes, start, end, length);
    this.batches++;
    this.recordsEnd = start + length;
    if (batch === undefined || batch.count < 0) this.recordCount = -1;
    else if (this.recordCount >= 0 && !batch.control) this.recordCount += batch.count;
    if (this.records === undefined || this.records.count === 0) this.records = batch;
  }

  #name(name: string): void {
    if (name === '') return;
    const topic = this.#topic;
    if (topic !== undefined && topic.name === '' && topic.partitions === 0) {
      topic.name = name;
      this.#learn(topic);
    } else this.#add(name, '');
  }

  #add(name: string, id: string): void {
    const topic: KafkaTopic = { name, id, partition: -1, partitions: 0 };
    this.#topic = topic;
    this.#topicDepth = this.#depth;
    const list = this.#forgetting ? this.forgotten : this.topics;
    if (list.length < MAX_TOPICS) list.push(topic);
  }

  #learn({ name, id }: KafkaTopic): void {
    if (this.#learnt++ < MAX_LEARNT) this.#ids?.learn(id, name);
  }

  #partition(value: number): void {
    const topic = this.#topic;
    if (topic === undefined) return;
    topic.partitions++;
    topic.partition = topic.partitions === 1 ? value : -1;
  }
}
