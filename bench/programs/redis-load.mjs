// redis-load.mjs PORT SECONDS RATE CONNECTIONS: GET commands at a rate, spread over connections. Prints
// {"requests":…,"p50Us":…,"p99Us":…}. A command waits for the one before it on its connection, so a server that is too
// slow lowers the rate.
import { connect } from 'node:net';

const [port, seconds, rate, connections] = process.argv.slice(2).map(Number);
const command = Buffer.from('*2\r\n$3\r\nGET\r\n$7\r\nkey:042\r\n');
const latencies = [];
const free = [];
let due = 0;

for (let i = 0; i < connections; i++) {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  let sentAt = 0;
  const connection = {
    send() {
      sentAt = performance.now();
      socket.write(command);
    },
  };
  // "$-1\r\n", in one piece.
  socket.on('data', () => {
    latencies.push(performance.now() - sentAt);
    if (due > 0) {
      due--;
      connection.send();
    } else free.push(connection);
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  free.push(connection);
}

const start = performance.now();
let issued = 0;
const timer = setInterval(() => {
  const elapsed = (performance.now() - start) / 1000;
  for (const target = Math.floor(Math.min(elapsed, seconds) * rate); issued < target; issued++) {
    const connection = free.pop();
    if (connection === undefined) due = Math.min(due + 1, connections);
    else connection.send();
  }
  if (elapsed < seconds) return;
  clearInterval(timer);
  latencies.sort((a, b) => a - b);
  const at = (share) => (latencies[Math.floor(latencies.length * share)] ?? 0) * 1000;
  console.log(JSON.stringify({ requests: latencies.length, p50Us: at(0.5), p99Us: at(0.99) }));
  process.exit(0);
}, 1);
