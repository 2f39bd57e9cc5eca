import { CONTEXT_HEADERS } from '../trace-context/carriers.js';

/** What is read of a message's head. One object serves many messages in turn: copy what outlives the call. */
export interface MessageHead {
  /** Requests: the method as sent (case matters, RFC 9110 section 9.1). */
  method: string;
  /** Requests: the target as sent, cut at the query. */
  path: string;
  /** Requests: what follows the first `?` of the target; undefined without one. */
  query: string | undefined;
  /** Responses; 0 in requests. */
  statusCode: number;
  /** Minor version: 0 for HTTP/1.0, 1 for HTTP/1.1. */
  minorVersion: number;
  host: string | undefined;
  userAgent: string | undefined;
  /** -1: absent. -2: present, but not one valid number. */
  contentLength: number;
  /** A Transfer-Encoding is present. */
  transferEncoding: boolean;
  /** … and its last coding is `chunked`. */
  chunked: boolean;
  /** `Connection: close` was given. */
  connectionClose: boolean;
  /** Value of `Upgrade`, '' without one. */
  upgrade: string;
  /** `Expect: 100-continue` was given. */
  expectContinue: boolean;
  /** Values of the headers in `CONTEXT_HEADERS`, in that order. */
  readonly contextValues: (string | undefined)[];
}

export const createHead = (): MessageHead => ({
  method: '',
  path: '',
  query: undefined,
  statusCode: 0,
  minorVersion: 1,
  host: undefined,
  userAgent: undefined,
  contentLength: -1,
  transferEncoding: false,
  chunked: false,
  connectionClose: false,
  upgrade: '',
  expectContinue: false,
  contextValues: new Array<string | undefined>(CONTEXT_HEADERS.length).fill(undefined),
});

export function resetHead(head: MessageHead): void {
  head.method = '';
  head.path = '';
  head.query = undefined;
  head.statusCode = 0;
  head.minorVersion = 1;
  head.host = undefined;
  head.userAgent = undefined;
  head.contentLength = -1;
  head.transferEncoding = false;
  head.chunked = false;
  head.connectionClose = false;
  head.upgrade = '';
  head.expectContinue = false;
  const { contextValues } = head;
  for (let i = 0; i < contextValues.length; i++) contextValues[i] = undefined;
}
