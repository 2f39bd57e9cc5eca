/** Tags with a meaning between OTLP and Zipkin (the Collector's translator, pkg/translator/zipkin of contrib 0.155). */

export const TAG = {
  startTimeAbsent: 'otel.zipkin.absentField.startTime',
  /** The attribute that became the service's name where it was not `service.name`. */
  serviceNameSource: 'otlp.service.name.source',
  statusCode: 'otel.status_code',
  statusDescription: 'otel.status_description',
  error: 'error',
  spanKind: 'span.kind',
  traceState: 'w3c.tracestate',
  libraryName: 'otel.library.name',
  libraryVersion: 'otel.library.version',
  scopeName: 'otel.scope.name',
  scopeVersion: 'otel.scope.version',
} as const;

export const NO_SERVICE_NAME = 'OTLPResourceNoServiceName';

/** `otlp.link.0`, `otlp.link.1`, …; more are not looked for. */
export const MAX_LINKS = 128;
export const linkTag = (index: number): string => `otlp.link.${index}`;

/** Tags that describe the process, not the span. */
export const RESOURCE_TAGS: ReadonlySet<string> = new Set([
  'aws.ecs.cluster.arn',
  'aws.ecs.container.arn',
  'aws.ecs.launchtype',
  'aws.ecs.task.arn',
  'aws.ecs.task.family',
  'aws.ecs.task.revision',
  'aws.eks.cluster.arn',
  'aws.log.group.arns',
  'aws.log.group.names',
  'aws.log.stream.arns',
  'aws.log.stream.names',
  'cloud.account.id',
  'cloud.availability_zone',
  'cloud.platform',
  'cloud.provider',
  'cloud.region',
  'cloud.resource_id',
  'container.id',
  'container.image.name',
  'container.image.tag',
  'container.name',
  'container.runtime',
  'deployment.environment',
  'device.id',
  'device.manufacturer',
  'device.model.identifier',
  'device.model.name',
  'faas.id',
  'faas.instance',
  'faas.max_memory',
  'faas.name',
  'faas.version',
  'host.arch',
  'host.id',
  'host.image.id',
  'host.image.name',
  'host.image.version',
  'host.name',
  'host.type',
  'k8s.cluster.name',
  'k8s.container.name',
  'k8s.container.restart_count',
  'k8s.cronjob.name',
  'k8s.cronjob.uid',
  'k8s.daemonset.name',
  'k8s.daemonset.uid',
  'k8s.deployment.name',
  'k8s.deployment.uid',
  'k8s.job.name',
  'k8s.job.uid',
  'k8s.namespace.name',
  'k8s.node.name',
  'k8s.node.uid',
  'k8s.pod.name',
  'k8s.pod.uid',
  'k8s.replicaset.name',
  'k8s.replicaset.uid',
  'k8s.statefulset.name',
  'k8s.statefulset.uid',
  'opencensus.exporterversion',
  'opencensus.resourcetype',
  'opencensus.starttime',
  'os.description',
  'os.name',
  'os.type',
  'os.version',
  'process.command',
  'process.command_args',
  'process.command_line',
  'process.executable.name',
  'process.executable.path',
  'process.owner',
  'process.pid',
  'process.runtime.description',
  'process.runtime.name',
  'process.runtime.version',
  'service.instance.id',
  'service.name',
  'service.namespace',
  'service.version',
  'telemetry.auto.version',
  'telemetry.sdk.language',
  'telemetry.sdk.name',
  'telemetry.sdk.version',
  'webengine.description',
  'webengine.name',
  'webengine.version',
]);

/** Tags that are no attributes of the span: those above and the ones that make its scope. */
export const isSpanTag = (key: string): boolean =>
  !RESOURCE_TAGS.has(key) &&
  key !== TAG.serviceNameSource &&
  key !== TAG.libraryName &&
  key !== TAG.libraryVersion &&
  key !== TAG.scopeName &&
  key !== TAG.scopeVersion;
