/** Names by which `detectors` may list them. */
export const DETECTOR_NAMES: readonly string[] = [
  'env',
  'system',
  'docker',
  'container',
  'k8s_api',
  'k8snode',
];
