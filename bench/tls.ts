/** What reading TLS in clear costs: CPU per request of a Node HTTPS server under wrk. Method: bench/overhead.ts. */
import { compare, type Variant } from './overhead.js';

const tiers = { scheduler: 'disabled', cpu: 'disabled' };
const VARIANTS: readonly Variant[] = [
  { name: 'nothing attached' },
  { name: 'network tier, TLS stays unread', ebpf: { tiers, tls: { enabled: false } } },
  { name: 'network tier, TLS in clear', ebpf: { tiers } },
];

export const run = (): Promise<object> => compare('https', 'https-server.mjs', VARIANTS);
