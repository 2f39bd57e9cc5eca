/** Codes of requests and responses: org.apache.rocketmq.remoting.protocol.{RequestCode,ResponseCode} of RocketMQ 5.3. */
import type { MessagingOperation } from '../messaging/describe.js';

export interface RequestKind {
  readonly operation: string;
  readonly type: MessagingOperation;
}

const kind = (operation: string, type: MessagingOperation = 'control'): RequestKind => ({ operation, type });

const REQUESTS: ReadonlyMap<number, RequestKind> = new Map([
  [10, kind('send', 'send')],
  [310, kind('send', 'send')],
  [320, kind('send', 'send')],
  [324, kind('reply', 'send')],
  [325, kind('reply', 'send')],
  [11, kind('pull', 'receive')],
  [361, kind('pull', 'receive')],
  [200_050, kind('pop', 'receive')],
  [200_052, kind('peek', 'receive')],
  [200_051, kind('ack', 'settle')],
  [200_151, kind('ack', 'settle')],
  [200_053, kind('change_invisible_time', 'settle')],
  [36, kind('send_back', 'settle')],
  [37, kind('end_transaction', 'settle')],
  [326, kind('push_reply', 'process')],
  [12, kind('query_message')],
  [14, kind('query_consumer_offset')],
  [15, kind('update_consumer_offset')],
  [17, kind('update_and_create_topic')],
  [21, kind('get_all_topic_config')],
  [28, kind('get_broker_runtime_info')],
  [29, kind('search_offset_by_timestamp')],
  [30, kind('get_max_offset')],
  [31, kind('get_min_offset')],
  [32, kind('get_earliest_msg_storetime')],
  [33, kind('view_message_by_id')],
  [34, kind('heart_beat')],
  [35, kind('unregister_client')],
  [38, kind('get_consumer_list_by_group')],
  [39, kind('check_transaction_state')],
  [40, kind('notify_consumer_ids_changed')],
  [41, kind('lock_batch_mq')],
  [42, kind('unlock_batch_mq')],
  [43, kind('get_all_consumer_offset')],
  [45, kind('get_all_delay_offset')],
  [46, kind('check_client_config')],
  [100, kind('put_kv_config')],
  [101, kind('get_kv_config')],
  [102, kind('delete_kv_config')],
  [103, kind('register_broker')],
  [104, kind('unregister_broker')],
  [105, kind('get_routeinfo_by_topic')],
  [106, kind('get_broker_cluster_info')],
  [200, kind('update_and_create_subscriptiongroup')],
  [201, kind('get_all_subscriptiongroup_config')],
  [202, kind('get_topic_stats_info')],
  [203, kind('get_consumer_connection_list')],
  [206, kind('get_all_topic_list_from_nameserver')],
  [207, kind('delete_subscriptiongroup')],
  [208, kind('get_consume_stats')],
  [215, kind('delete_topic_in_broker')],
  [216, kind('delete_topic_in_namesrv')],
  [220, kind('reset_consumer_client_offset')],
  [221, kind('get_consumer_status_from_client')],
  [307, kind('get_consumer_running_info')],
  [309, kind('consume_message_directly')],
  [322, kind('query_data_version')],
  [400, kind('query_assignment')],
  [401, kind('set_message_request_mode')],
  [901, kind('get_broker_ha_status')],
  [904, kind('broker_heartbeat')],
  [200_054, kind('notification')],
  [200_055, kind('polling_info')],
]);

export const requestKind = (code: number): RequestKind => REQUESTS.get(code) ?? OTHER;
const OTHER = kind('_OTHER');

/** SEND_MESSAGE_V2, SEND_BATCH_MESSAGE and SEND_REPLY_MESSAGE_V2 call their fields by letters. */
export const isShort = (code: number): boolean => code === 310 || code === 320 || code === 325;
/** Requests that may wait for messages: pull, lite pull, pop, notification. */
export const mayWait = (code: number): boolean =>
  code === 11 || code === 361 || code === 200_050 || code === 200_054;

const ERRORS: ReadonlyMap<number, string> = new Map([
  [1, 'SYSTEM_ERROR'],
  [2, 'SYSTEM_BUSY'],
  [3, 'REQUEST_CODE_NOT_SUPPORTED'],
  [4, 'TRANSACTION_FAILED'],
  [10, 'FLUSH_DISK_TIMEOUT'],
  [11, 'SLAVE_NOT_AVAILABLE'],
  [12, 'FLUSH_SLAVE_TIMEOUT'],
  [13, 'MESSAGE_ILLEGAL'],
  [14, 'SERVICE_NOT_AVAILABLE'],
  [15, 'VERSION_NOT_SUPPORTED'],
  [16, 'NO_PERMISSION'],
  [17, 'TOPIC_NOT_EXIST'],
  [18, 'TOPIC_EXIST_ALREADY'],
  [23, 'SUBSCRIPTION_PARSE_FAILED'],
  [24, 'SUBSCRIPTION_NOT_EXIST'],
  [25, 'SUBSCRIPTION_NOT_LATEST'],
  [26, 'SUBSCRIPTION_GROUP_NOT_EXIST'],
  [28, 'FILTER_DATA_NOT_LATEST'],
  [204, 'NO_BUYER_ID'],
  [205, 'NOT_IN_CURRENT_UNIT'],
  [206, 'CONSUMER_NOT_ONLINE'],
  [207, 'CONSUME_MSG_TIMEOUT'],
]);
/** Nothing to pull, ask again, nothing found, polling has ended: answers, not errors. */
const OUTCOMES = new Set([0, 19, 20, 21, 22, 27, 208, 209, 210]);

/** '' for a success and for an outcome that is none of the sender's or the server's faults. */
export const errorName = (code: number): string =>
  OUTCOMES.has(code) ? '' : (ERRORS.get(code) ?? String(code));
