/** Bytes that are no Thrift. `message` is what a client is told. */
export class ThriftError extends Error {
  override readonly name = 'ThriftError';
}
