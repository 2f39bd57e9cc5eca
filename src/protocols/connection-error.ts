/** Values of `error.type` for connections that the kernel has ended: errno of include/uapi/asm-generic/errno.h. */
const TYPES = new Map([
  [100, 'network_down'],
  [101, 'network_unreachable'],
  [110, 'timeout'],
  [111, 'connection_refused'],
  [112, 'host_down'],
  [113, 'host_unreachable'],
]);

/** Undefined for 0 and for errors that mean no more than that the connection was reset. */
export const connectionErrorType = (errno: number): string | undefined => TYPES.get(errno);
