/** SkyWalking's protobuf with a library, so that no mistake of ours is made twice. */
import protobuf from 'protobufjs';

const SOURCE = `
syntax = "proto3";
package skywalking.v3;
message KeyStringValuePair { string key = 1; string value = 2; }
message SegmentReference {
  int32 refType = 1; string traceId = 2; string parentTraceSegmentId = 3; int32 parentSpanId = 4; string parentService = 5;
  string parentServiceInstance = 6; string parentEndpoint = 7; string networkAddressUsedAtPeer = 8;
}
message Log { int64 time = 1; repeated KeyStringValuePair data = 2; }
message SpanObject {
  int32 spanId = 1; int32 parentSpanId = 2; int64 startTime = 3; int64 endTime = 4; repeated SegmentReference refs = 5;
  string operationName = 6; string peer = 7; int32 spanType = 8; int32 spanLayer = 9; int32 componentId = 10;
  bool isError = 11; repeated KeyStringValuePair tags = 12; repeated Log logs = 13; bool skipAnalysis = 14;
}
message SegmentObject {
  string traceId = 1; string traceSegmentId = 2; repeated SpanObject spans = 3; string service = 4;
  string serviceInstance = 5; bool isSizeLimited = 6;
}
message SegmentCollection { repeated SegmentObject segments = 1; }
message CPU { double usagePercent = 2; }
message Memory { bool isHeap = 1; int64 init = 2; int64 max = 3; int64 used = 4; int64 committed = 5; }
message MemoryPool { int32 type = 1; int64 init = 2; int64 max = 3; int64 used = 4; int64 committed = 5; }
message GC { int32 phrase = 1; int64 count = 2; int64 time = 3; }
message Thread { int64 liveCount = 1; int64 daemonCount = 2; int64 peakCount = 3; int64 newCount = 4; int64 runnableCount = 5; }
message JVMMetric {
  int64 time = 1; CPU cpu = 2; repeated Memory memory = 3; repeated MemoryPool memoryPool = 4; repeated GC gc = 5;
  Thread thread = 6;
}
message JVMMetricCollection { repeated JVMMetric metrics = 1; string service = 2; string serviceInstance = 3; }
message ClrGC { int64 gen0 = 1; int64 gen1 = 2; int64 gen2 = 3; int64 heap = 4; }
message CLRMetric { int64 time = 1; CPU cpu = 2; ClrGC gc = 3; }
message CLRMetricCollection { repeated CLRMetric metrics = 1; string service = 2; string serviceInstance = 3; }
message Label { string name = 1; string value = 2; }
message MeterSingleValue { string name = 1; repeated Label labels = 2; double value = 3; }
message MeterBucketValue { double bucket = 1; int64 count = 2; bool isNegativeInfinity = 3; }
message MeterHistogram { string name = 1; repeated Label labels = 2; repeated MeterBucketValue values = 3; }
message MeterData {
  oneof metric { MeterSingleValue singleValue = 1; MeterHistogram histogram = 2; }
  string service = 3; string serviceInstance = 4; int64 timestamp = 5;
}
message TextLog { string text = 1; }
message LogDataBody { string type = 1; TextLog text = 2; }
message TraceContext { string traceId = 1; string traceSegmentId = 2; int32 spanId = 3; }
message LogTags { repeated KeyStringValuePair data = 1; }
message LogData {
  int64 timestamp = 1; string service = 2; string serviceInstance = 3; string endpoint = 4; LogDataBody body = 5;
  TraceContext traceContext = 6; LogTags tags = 7; string layer = 8;
}
`;

const { root } = protobuf.parse(SOURCE);

export function skywalkingProto(message: string, value: object): Uint8Array {
  const type = root.lookupType(`skywalking.v3.${message}`);
  return type.encode(type.fromObject(value)).finish();
}
