import type { HttpDetail } from '../http/describe.js';
import type { MessageCounter } from './grpc.js';

/** An HTTP/2 exchange. Created with what its header block says; the response's fields follow. */
export class Http2Detail implements HttpDetail {
  method = '';
  path = '';
  query: string | undefined;
  host: string | undefined;
  userAgent: string | undefined;
  scheme = 'http';
  readonly version = '2';
  statusCode = 0;
  /** `content-type: application/grpc…` on either side, or a `grpc-status`. */
  grpc = false;
  grpcStatus: number | undefined;
  grpcMessage: string | undefined;
  /** Error code of RST_STREAM. */
  resetCode: number | undefined;
  /** The request's header block has fields that nobody can know (joined in the middle). */
  unknownFields = false;
  requests: MessageCounter | undefined;
  responses: MessageCounter | undefined;
}
