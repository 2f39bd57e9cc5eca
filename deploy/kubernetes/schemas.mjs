// node schemas.mjs SWAGGER DIRECTORY: writes a JSON schema per kind of the manifests, from Kubernetes' OpenAPI document.
// Unknown fields are errors, as for an API server with strict field validation.
import { readFileSync, writeFileSync } from 'node:fs';

const [swagger, directory] = process.argv.slice(2);
const { definitions } = JSON.parse(readFileSync(swagger, 'utf8'));
const KINDS = {
  namespace: 'io.k8s.api.core.v1.Namespace',
  serviceaccount: 'io.k8s.api.core.v1.ServiceAccount',
  configmap: 'io.k8s.api.core.v1.ConfigMap',
  daemonset: 'io.k8s.api.apps.v1.DaemonSet',
};
for (const definition of Object.values(definitions)) {
  if (definition.properties !== undefined) definition.additionalProperties = false;
  if (definition.format === 'int-or-string') definition.type = ['string', 'integer'];
}
for (const [kind, name] of Object.entries(KINDS)) {
  writeFileSync(
    `${directory}/${kind}.json`,
    JSON.stringify({
      $schema: 'http://json-schema.org/draft-07/schema#',
      $ref: `#/definitions/${name}`,
      definitions,
    }),
  );
}
