import type { Host } from '../../src/component/component.js';

/** A host that provides nothing and remembers what it was told. */
export function testHost(): Host & { readonly stops: string[]; readonly fatals: Error[] } {
  const stops: string[] = [];
  const fatals: Error[] = [];
  const services = new Map<string, unknown>();
  return {
    stops,
    fatals,
    provide: (key, service) => {
      if (services.has(key.name)) throw new Error(`service "${key.name}" is provided twice`);
      services.set(key.name, service);
    },
    service: <T>(key: { readonly name: string }) => services.get(key.name) as T | undefined,
    reportFatal: (error) => {
      fatals.push(error);
    },
    requestStop: (reason) => {
      stops.push(reason);
    },
  };
}
