/** `resource_detection` with what can be the same on every machine, and with what is this machine's own. */
import { configCase, type ParityCase } from '../case.js';

const NAME = 'resource_detection';

interface Env {
  readonly [name: string]: string;
}

const environments: readonly Env[] = [
  { OTEL_RESOURCE_ATTRIBUTES: 'a=1,b=two' },
  { OTEL_RESOURCE_ATTRIBUTES: 'service.name=detected,host.name=elsewhere' },
  { OTEL_RESOURCE_ATTRIBUTES: 'service.name=detected', OTEL_SERVICE_NAME: 'named' },
  { OTEL_SERVICE_NAME: 'named' },
  { OTEL_RESOURCE_ATTRIBUTES: '' },
  { OTEL_RESOURCE_ATTRIBUTES: ' a = b , c= d e ,' },
  { OTEL_RESOURCE_ATTRIBUTES: 'a=b%20c%2Cd,e=%C3%A4' },
  { OTEL_RESOURCE_ATTRIBUTES: 'a="quoted",b=x=y' },
  { OTEL_RESOURCE_ATTRIBUTES: 'a=1,a=2' },
  { OTEL_RESOURCE_ATTRIBUTES: 'a=b%zz' },
  { OTEL_RESOURCE_ATTRIBUTES: 'novalue' },
  { OTEL_RESOURCE_ATTRIBUTES: '=x' },
  { OTEL_RESOURCE_ATTRIBUTES: 'a=' },
  { OTEL_RESOURCE_ATTRIBUTES: 'a b=c' },
  { OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod/name=x,n.m-o_p=1' },
];

const withEnv = (config: object, env: Env, signal: 'traces' | 'metrics' | 'logs' = 'logs'): ParityCase => {
  const one = configCase(NAME, signal, config);
  return { ...one, id: `${one.id} ${JSON.stringify(env)}`, env };
};

const OS_NAME = { hostname_sources: ['os'] };

const SETTINGS: readonly object[] = [
  { detectors: ['env'], override: false },
  { detectors: ['system'], system: OS_NAME },
  { detectors: ['system'], system: OS_NAME, override: false },
  {
    detectors: ['system'],
    system: { ...OS_NAME, resource_attributes: { 'host.name': { enabled: false } } },
  },
  { detectors: ['system', 'env'], system: OS_NAME },
  { detectors: ['env', 'system'], system: OS_NAME },
  { detectors: ['docker'], timeout: '200ms' },
  { detectors: ['docker'], timeout: '200ms', fail_on_missing_metadata: true },
  { detectors: [] },
  { detectors: ['nosuch'] },
  { detectors: ['env', 'env'] },
  { detectors: 'env' },
  { detectors: ['env'], timeout: '0s' },
  { detectors: ['env'], timeout: '-1s' },
  { detectors: ['env'], refresh_interval: '-1s' },
  { detectors: ['env'], attributes: ['a'] },
  { detectors: ['system'], system: { hostname_sources: ['nosuch'] } },
  { detectors: ['system'], system: { resource_attributes: { nosuch: { enabled: true } } } },
  { detectors: ['system'], system: { nosuch: 1 } },
  { nosuch: 1 },
];

export const resourceDetectionCases = (): readonly ParityCase[] => [
  ...environments.map((env) => withEnv({ detectors: ['env'], timeout: '200ms' }, env)),
  ...SETTINGS.map((config) => withEnv(config, { OTEL_RESOURCE_ATTRIBUTES: 'host.name=of-env,a=1' })),
  ...(['traces', 'metrics'] as const).map((signal) =>
    withEnv({ detectors: ['env'] }, { OTEL_RESOURCE_ATTRIBUTES: 'a=1' }, signal),
  ),
];

const ATTRIBUTES = ['host.arch', 'host.id', 'host.ip', 'host.mac', 'os.type'];

/** Whose answers differ from machine to machine. */
export const thisMachineCases = (): readonly ParityCase[] =>
  ATTRIBUTES.map((name) =>
    configCase(NAME, 'logs', {
      detectors: ['system'],
      system: { ...OS_NAME, resource_attributes: { [name]: { enabled: true } } },
    }),
  );
