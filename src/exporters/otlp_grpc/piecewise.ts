/**
 * A message for grpc-js that is still in pieces.
 *
 * Before grpc-js (1.14) sends a message without compression it makes one new buffer for the five bytes of the gRPC prefix
 * and the message, asks the message for its `length`, and lets it `copy` itself behind the prefix. Pieces can do that as
 * well as one buffer, which saves putting them together first. A test sends such a message and compares what arrives.
 */
export function piecewise(parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Object.defineProperties(Buffer.alloc(0), {
    length: { value: length },
    copy: {
      value: (target: Uint8Array, targetStart = 0): number => {
        let at = targetStart;
        for (const part of parts) {
          target.set(part, at);
          at += part.length;
        }
        return length;
      },
    },
  });
}
