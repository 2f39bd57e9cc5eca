import { describe, expect, it } from 'vitest';
import {
  encodeGrpcMessage,
  grpcStatusName,
  httpStatusOf,
  isRetryableGrpcStatus,
} from '../../../src/transport/grpc-status.js';
import { parseGrpcTimeout } from '../../../src/transport/grpc-timeout.js';

describe('gRPC status', () => {
  it('maps to HTTP as a Collector does', () => {
    const codes = Array.from({ length: 17 }, (_, code) => httpStatusOf(code));
    expect(codes).toEqual([
      200, 503, 500, 400, 503, 500, 500, 403, 429, 500, 503, 503, 404, 500, 503, 503, 401,
    ]);
    expect(httpStatusOf(99)).toBe(500);
  });

  it('is retryable as OTLP says, RESOURCE_EXHAUSTED only with RetryInfo', () => {
    const retryable = Array.from({ length: 17 }, (_, code) => code).filter((code) =>
      isRetryableGrpcStatus(code, false),
    );
    expect(retryable).toEqual([1, 4, 10, 11, 14, 15]);
    expect(isRetryableGrpcStatus(8, true)).toBe(true);
    expect(isRetryableGrpcStatus(3, true)).toBe(false);
  });

  it('has the names of grpc-go', () => {
    expect([0, 1, 14, 99].map(grpcStatusName)).toEqual(['OK', 'Canceled', 'Unavailable', 'Code(99)']);
  });

  it('encodes messages for a header', () => {
    expect(encodeGrpcMessage('plain text!')).toBe('plain text!');
    expect(encodeGrpcMessage('50 %\n\u00e9')).toBe('50 %25%0A%C3%A9');
  });

  it.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['10S', 10_000],
    ['99999999m', 99_999_999],
    ['500u', 0.5],
    ['1000000n', 1],
    ['', { problem: 'transport: timeout string is too short: ""' }],
    ['10', { problem: 'transport: timeout unit is not recognized: "10"' }],
    ['123456789S', { problem: 'transport: timeout string is too long: "123456789S"' }],
    ['-1S', { problem: 'strconv.ParseUint: parsing "-1": invalid syntax' }],
  ])('parses grpc-timeout %s', (value, ms) => {
    expect(parseGrpcTimeout(value)).toEqual(ms);
  });
});
