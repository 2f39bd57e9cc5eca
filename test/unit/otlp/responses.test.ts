import { describe, expect, test } from 'vitest';
import {
  decodeExportResponse,
  decodeStatus,
  encodeExportResponse,
  encodeStatus,
  exportResponseFromJson,
  exportResponseToJson,
  statusFromJson,
  statusToJson,
} from '../../../src/otlp/responses.js';
import { oracleType } from './support/oracle.js';

describe('export responses', () => {
  test('without partial success are the two bytes that Collectors send', () => {
    expect(encodeExportResponse()).toEqual(Uint8Array.of(0x0a, 0));
    expect(exportResponseToJson('traces')).toBe('{"partialSuccess":{}}');
    expect(decodeExportResponse(Uint8Array.of(0x0a, 0))).toBeUndefined();
    expect(decodeExportResponse(new Uint8Array(0))).toBeUndefined();
    expect(exportResponseFromJson('traces', '{}')).toBeUndefined();
  });

  test('carry a partial success both ways', () => {
    for (const rejected of [0, 5, 300, 2 ** 40]) {
      const partial = { rejected, message: 'too old: größe' };
      expect(decodeExportResponse(encodeExportResponse(partial))).toEqual(partial);
      for (const signal of ['traces', 'metrics', 'logs', 'profiles'] as const) {
        expect(exportResponseFromJson(signal, exportResponseToJson(signal, partial))).toEqual(partial);
      }
      const type = oracleType('ExportTraceServiceResponse');
      expect(type.toObject(type.decode(encodeExportResponse(partial)), { longs: Number })).toMatchObject({
        partialSuccess: { errorMessage: partial.message },
      });
    }
    expect(exportResponseToJson('metrics', { rejected: 3, message: '' })).toBe(
      '{"partialSuccess":{"rejectedDataPoints":"3"}}',
    );
    expect(exportResponseFromJson('logs', '{"partial_success":{"rejected_log_records":3}}')).toEqual({
      rejected: 3,
      message: '',
    });
    expect(() => exportResponseFromJson('logs', '{')).toThrow('Not JSON');
    expect(() => exportResponseFromJson('logs', '{"partialSuccess":{"errorMessage":1}}')).toThrow(
      'wrong types',
    );
  });
});

describe('google.rpc.Status', () => {
  test.each([
    { code: 14, message: 'data refused due to high memory usage' },
    { code: 8, message: '', retryDelayMs: 7000 },
    { code: 14, message: 'x', retryDelayMs: 250.5 },
    { code: 0, message: '' },
    { code: -1, message: 'negative' },
  ])('survives protobuf and JSON: %o', (status) => {
    expect(decodeStatus(encodeStatus(status))).toEqual(status);
    expect(statusFromJson(statusToJson(status))).toEqual(status);
  });

  test('is what protobufjs reads, with the delay as google.rpc.RetryInfo', () => {
    const type = oracleType('RpcStatus');
    const decoded = type.toObject(type.decode(encodeStatus({ code: 8, message: 'm', retryDelayMs: 7250 })));
    expect(decoded).toMatchObject({
      code: 8,
      message: 'm',
      details: [{ typeUrl: 'type.googleapis.com/google.rpc.RetryInfo' }],
    });
    const info = oracleType('RetryInfo');
    expect(info.toObject(info.decode(decoded.details[0].value), { longs: Number })).toEqual({
      retryDelay: { seconds: 7, nanos: 250_000_000 },
    });
  });

  test('is printed as a Collector does', () => {
    expect(statusToJson({ code: 3, message: 'http: request body too large' })).toBe(
      '{"code":3,"message":"http: request body too large"}',
    );
    expect(statusToJson({ code: 14, message: 'boom', retryDelayMs: 7000 })).toBe(
      '{"code":14,"message":"boom","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}',
    );
    expect(() => statusFromJson('<html>')).toThrow('Not JSON');
  });
});
