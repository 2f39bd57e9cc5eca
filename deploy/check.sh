#!/usr/bin/env bash
# `make check-deploy`: what is in deploy/, through the tools that will read it. helm and kubeconform are built from their
# Go modules; the schemas are those of Kubernetes' own OpenAPI document.
set -euo pipefail
cd "$(dirname "$0")/.."
KUBERNETES=v1.31.4 HELM=v3.16.4 KUBECONFORM=v0.6.7
tools=$PWD/build/deploy-tools
mkdir -p "$tools/schemas"
# render CHART_ARGS...
render() { "$tools/helm" template kindling deploy/helm/kindling --namespace kindling --kube-version "$KUBERNETES" "$@"; }
manifest() {
  echo '# Rendered from deploy/helm/kindling with its default values (make check-deploy).'
  printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: kindling\n  labels:\n'
  printf '    # hostPID and capabilities are beyond the other levels.\n    pod-security.kubernetes.io/enforce: privileged\n'
  render | sed '/helm.sh\/chart:/d; /managed-by:/d; /^# Source/d'
}

[ -x "$tools/helm" ] || GOBIN=$tools go install "helm.sh/helm/v3/cmd/helm@$HELM"
[ -x "$tools/kubeconform" ] || GOBIN=$tools go install "github.com/yannh/kubeconform/cmd/kubeconform@$KUBECONFORM"
swagger=$(cd "$tools" && go mod download -json "k8s.io/kubernetes@$KUBERNETES" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')/api/openapi-spec/swagger.json
node deploy/kubernetes/schemas.mjs "$swagger" "$tools/schemas"

"$tools/helm" lint --strict --kube-version "$KUBERNETES" deploy/helm/kindling
validate() { "$tools/kubeconform" -strict -summary -schema-location "$tools/schemas/{{.ResourceKind}}.json" "$@"; }
render | validate
render --set hostPorts.enabled=false --set capabilities=null --set 'extraEnv[0].name=A,extraEnv[0].value=b' | validate
if render --set endpoint=http://with/a/path >/dev/null 2>&1; then echo 'check: a wrong endpoint was taken' >&2; exit 1; fi
if [ "${1:-}" = --update ]; then manifest >deploy/kubernetes/kindling.yaml; fi
diff -u deploy/kubernetes/kindling.yaml <(manifest) || { echo 'check: call deploy/check.sh --update' >&2; exit 1; }
validate deploy/kubernetes/kindling.yaml

if command -v systemd-analyze >/dev/null; then
  unit=$(mktemp -d)
  trap 'rm -rf "$unit"' EXIT
  sed "s#/usr/bin/kindling#$PWD/bin/kindling#" deploy/systemd/kindling.service >"$unit/kindling.service"
  systemd-analyze verify "$unit/kindling.service"
  systemd-analyze security --offline=true --threshold=30 "$unit/kindling.service" | tail -n 1
fi
if command -v lintian >/dev/null; then
  deploy/debian/build.sh >/dev/null
  # The maintainer has no address; packages of npm carry what they carry.
  lintian --fail-on error --suppress-tags bogus-mail-host build/kindling_*.deb
fi
echo 'deploy: all checks passed'
