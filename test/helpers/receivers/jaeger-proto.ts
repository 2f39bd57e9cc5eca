/** Jaeger's protobuf with a library, so that no mistake of ours is made twice. */
import protobuf from 'protobufjs';

const SOURCE = `
syntax = "proto3";
package jaeger.api_v2;
message Moment { int64 seconds = 1; int32 nanos = 2; }
message KeyValue {
  string key = 1; int32 v_type = 2; string v_str = 3; bool v_bool = 4; int64 v_int64 = 5; double v_float64 = 6;
  bytes v_binary = 7;
}
message Log { Moment timestamp = 1; repeated KeyValue fields = 2; }
message SpanRef { bytes trace_id = 1; bytes span_id = 2; int32 ref_type = 3; }
message Process { string service_name = 1; repeated KeyValue tags = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string operation_name = 3; repeated SpanRef references = 4; uint32 flags = 5;
  Moment start_time = 6; Moment duration = 7; repeated KeyValue tags = 8; repeated Log logs = 9; Process process = 10;
  string process_id = 11; repeated string warnings = 12;
}
message Batch { repeated Span spans = 1; Process process = 2; }
message PostSpansRequest { Batch batch = 1; }
`;

const REQUEST = protobuf.parse(SOURCE).root.lookupType('jaeger.api_v2.PostSpansRequest');

/** A `PostSpansRequest`, fields in lowerCamelCase (`vInt64`), bytes in base64. */
export const jaegerProto = (batch: object): Uint8Array =>
  REQUEST.encode(REQUEST.fromObject({ batch })).finish();
