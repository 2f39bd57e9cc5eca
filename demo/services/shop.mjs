/** The front end. `/report` burns CPU here; `/order` writes and syncs a file here; the rest waits for other services. */
import { closeSync, fsyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { get, serve } from '../lib/http.mjs';
import { endWithSupervisor, reportReady } from '../lib/lifecycle.mjs';
import { flushTelemetry } from '../lib/telemetry.mjs';

const inventoryUrl = process.env.INVENTORY_URL;
const pricingUrl = process.env.PRICING_URL;

const directory = process.env.DEMO_DIRECTORY ?? '.';
const journalPath = join(directory, `orders-${process.pid}.journal`);
const journal = openSync(journalPath, 'w');
const PAGE_BYTES = 64 << 10;
const PAGES_PER_ORDER = 48;
const JOURNAL_LIMIT_BYTES = 64 << 20;
let journalBytes = 0;

/** Appends an order with its scanned invoice, page by page, and trusts no page before the disk has it. */
const appendOrder = (/** @type {string} */ id) => {
  if (journalBytes >= JOURNAL_LIMIT_BYTES) {
    ftruncateSync(journal, 0);
    journalBytes = 0;
  }
  const page = Buffer.alloc(PAGE_BYTES, `order ${id};`);
  for (let written = 0; written < PAGES_PER_ORDER; written += 1) {
    journalBytes += writeSync(journal, page, 0, page.length, journalBytes);
    fsyncSync(journal);
  }
  return journalBytes;
};

const CUSTOMERS = 220;
const FEATURES = 64;
const customers = Array.from({ length: CUSTOMERS }, (_, row) =>
  Float64Array.from({ length: FEATURES }, (_, column) => Math.sin(row * 31 + column * 17)),
);

/** How alike two customers are, 0 to 1. */
function cosineSimilarity(/** @type {Float64Array} */ a, /** @type {Float64Array} */ b) {
  let dot = 0;
  let lengthA = 0;
  let lengthB = 0;
  for (let i = 0; i < a.length; i += 1) {
    const x = a[i] ?? 0;
    const y = b[i] ?? 0;
    dot += x * y;
    lengthA += x * x;
    lengthB += y * y;
  }
  return dot / Math.sqrt(lengthA * lengthB);
}

function nearestNeighbours(/** @type {Float64Array} */ customer) {
  return customers
    .map((other, index) => ({ index, score: cosineSimilarity(customer, other) }))
    .sort((a, b) => b.score - a.score)
    .slice(1, 6);
}

/** Compares every customer with every other one, the way that is easiest to write. */
function buildReport() {
  const until = performance.now() + 120;
  let rounds = 0;
  let score = 0;
  do {
    for (const customer of customers) {
      score += nearestNeighbours(customer)[0]?.score ?? 0;
      if (performance.now() >= until) break;
    }
    rounds += 1;
  } while (performance.now() < until);
  return { rounds, score };
}

const port = await serve({
  '/report': () => buildReport(),
  '/stock/{id}': (_request, id) => get(`${inventoryUrl}/stock/${id}`),
  '/price/{id}': (_request, id) => get(`${pricingUrl}/price/${id}`),
  '/order/{id}': (_request, id) => ({ order: id, journal: appendOrder(id) }),
});

endWithSupervisor(async () => {
  closeSync(journal);
  rmSync(journalPath, { force: true });
  // The supervisor made it and removes it, unless it was killed.
  if (process.env.DEMO_DIRECTORY !== undefined) rmSync(directory, { recursive: true, force: true });
  await flushTelemetry();
});
reportReady({ port });
