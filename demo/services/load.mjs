/** Customers: a fixed, low number of requests per second over all endpoints. Never more than `MAX_IN_FLIGHT` at once. */
import { get } from '../lib/http.mjs';
import { endWithSupervisor, reportReady } from '../lib/lifecycle.mjs';
import { flushTelemetry } from '../lib/telemetry.mjs';

const shopUrl = process.env.SHOP_URL;
const perSecond = Number(process.env.DEMO_RATE ?? '5');
const MAX_IN_FLIGHT = 8;
const TURN = ['stock', 'price', 'report', 'stock', 'order', 'price'];

let count = 0;
let inFlight = 0;
/** @type {NodeJS.Timeout | undefined} */
let timer;

const buy = async () => {
  if (inFlight >= MAX_IN_FLIGHT) return;
  const kind = TURN[count % TURN.length];
  count += 1;
  inFlight += 1;
  const id = 1000 + (count % 50);
  await get(`${shopUrl}/${kind === 'report' ? kind : `${kind}/${id}`}`).catch(() => undefined);
  inFlight -= 1;
};

endWithSupervisor(async () => {
  clearInterval(timer);
  await flushTelemetry();
});
timer = setInterval(buy, 1000 / perSecond);
reportReady({});
