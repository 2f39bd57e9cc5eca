/** Time zones of the IANA database, which Node.js has through ICU. */

/** The name when there is such a zone. */
export function zoneNamed(name: string): string | undefined {
  if (name === '') return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone === ''
      ? undefined
      : name;
  } catch {
    return undefined;
  }
}

/** How far `zone` is ahead of UTC when its clocks show `localMs`. Of two such times it is the first, as in Go. */
export function offsetMsAt(zone: string, localMs: number): number {
  if (zone === 'UTC') return 0;
  // What the offset is a day before and after bounds what it may be; the guess that is right leads back to `localMs`.
  const guesses = [localMs - 86_400_000, localMs + 86_400_000].map((ms) => offsetMs(zone, ms));
  return guesses.find((guess) => offsetMs(zone, localMs - guess) === guess) ?? guesses[1]!;
}

const formats = (zone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });

function offsetMs(zone: string, utcMs: number): number {
  const parts = new Map(
    formats(zone)
      .formatToParts(utcMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const local = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return local - Math.floor(utcMs / 1000) * 1000;
}
