/** All groups of probes. Each has a Collector's answers in test/golden/wire/<name>.json. */
import { access } from './cases/access.js';
import { grpcRequests } from './cases/grpc-requests.js';
import { httpRequests } from './cases/http-requests.js';
import { jsonBodies } from './cases/json-bodies.js';
import { refusals } from './cases/refusals.js';
import type { WireProbe } from './probe.js';

export const WIRE_GROUPS: Readonly<Record<string, () => readonly WireProbe[]>> = {
  access,
  'grpc-requests': grpcRequests,
  'http-requests': httpRequests,
  'json-bodies': jsonBodies,
  refusals,
};
