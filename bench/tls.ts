/** What reading TLS in clear costs: CPU per request of a Node HTTPS server under wrk. Method: bench/overhead.ts. */
import { nodeTls } from './overhead/http.js';
import { compare, type Variant } from './overhead.js';

const tiers = { scheduler: 'disabled', cpu: 'disabled' };
const VARIANTS: readonly Variant[] = [
  { name: 'nothing attached' },
  { name: 'network tier, TLS stays unread', tiers: { ebpf: { tiers, tls: { enabled: false } } } },
  { name: 'network tier, TLS in clear', tiers: { ebpf: { tiers } } },
];

export async function run(): Promise<object> {
  const target = await nodeTls.start();
  try {
    await target.load(2, undefined); // lets V8 optimise
    return await compare(nodeTls, target, 'saturation', VARIANTS);
  } finally {
    await target.stop();
  }
}
