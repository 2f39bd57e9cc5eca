import { type Time64, timeFromBigInt } from '../../otlp/time.js';

/** Microseconds since the epoch, of which the low 64 bits count once they are nanoseconds, as in a Collector. */
export const timeFromUnsignedMicros = (us: bigint): Time64 => timeFromBigInt(us * 1000n);
