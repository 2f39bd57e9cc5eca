{{- define "kindling.name" -}}
{{- $name := printf "%s-%s" .Release.Name .Chart.Name }}
{{- if contains .Chart.Name .Release.Name }}{{ $name = .Release.Name }}{{ end }}
{{- $name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kindling.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "kindling.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "kindling.selectorLabels" . }}
{{- end }}

{{- define "kindling.config" -}}
{{- if .Values.config }}
{{- toYaml .Values.config }}
{{- else -}}
receivers:
  ebpf:
    {{- toYaml .Values.ebpf | nindent 4 }}
  host_metrics:
  otlp:
    protocols:
      grpc:
        endpoint: ${env:POD_IP}:4317
      http:
        endpoint: ${env:POD_IP}:4318
processors:
  memory_limiter:
    check_interval: 1s
    limit_percentage: 80
    spike_limit_percentage: 15
  trace_profiling:
  resource_detection:
    detectors: [k8s_api]
  batch:
exporters:
  otlp_grpc:
    endpoint: {{ .Values.endpoint | quote }}
    tls:
      insecure: {{ .Values.insecure }}
extensions:
  health_check:
    endpoint: ${env:POD_IP}:13133
service:
  extensions: [health_check]
  limits:
    memory_budget: {{ .Values.memoryBudget }}
  telemetry:
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: ${env:POD_IP}
                port: 8888
  pipelines:
    traces:
      receivers: [ebpf, otlp]
      processors: [memory_limiter, trace_profiling, resource_detection, batch]
      exporters: [otlp_grpc]
    metrics:
      receivers: [ebpf, host_metrics, otlp]
      processors: [memory_limiter, resource_detection, batch]
      exporters: [otlp_grpc]
    logs:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp_grpc]
{{- end }}
{{- end }}
