/** Quotes prices. Asks the legacy rate service first, then waits for its own rate limiter. */
import { setTimeout as sleep } from 'node:timers/promises';
import { get, serve } from '../lib/http.mjs';
import { endWithSupervisor, reportReady } from '../lib/lifecycle.mjs';
import { flushTelemetry } from '../lib/telemetry.mjs';

const legacyUrl = process.env.LEGACY_URL;

const port = await serve({
  '/price/{id}': async (_request, id) => {
    const rate = await get(`${legacyUrl}/rates/${id}`);
    await sleep(15);
    return { id, rate };
  },
});

endWithSupervisor(flushTelemetry);
reportReady({ port });
