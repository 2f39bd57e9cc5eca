/** What reading TLS in clear costs: CPU per request of a Node HTTPS server under wrk. Method: bench/overhead.ts. */
import { nodeTls } from './overhead/http.js';
import { measureAll, type Variant } from './overhead.js';

const tiers = { scheduler: 'disabled', cpu: 'disabled' };
const VARIANTS: readonly Variant[] = [
  { name: 'nothing attached' },
  { name: 'network tier, TLS stays unread', tiers: { ebpf: { tiers, tls: { enabled: false } } } },
  { name: 'network tier, TLS in clear', tiers: { ebpf: { tiers } } },
];

export const run = (): Promise<object> => measureAll([nodeTls], VARIANTS);
