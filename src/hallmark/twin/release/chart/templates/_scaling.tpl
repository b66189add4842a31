{{- /* What changes the number of pods of a Deployment. In: root, component (a key of .Values), part, name. */ -}}

{{- define "langsmith.horizontalPodAutoscaler" -}}
{{- $hpa := .part.autoscaling.hpa -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "langsmith.metadata" (dict "root" .root "name" .name) | nindent 2 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .name }}}
  minReplicas: {{ $hpa.minReplicas }}
  maxReplicas: {{ $hpa.maxReplicas }}
  metrics:
    {{- range $resource, $target := dict "cpu" $hpa.targetCPUUtilizationPercentage "memory" $hpa.targetMemoryUtilizationPercentage }}
    - type: Resource
      resource:
        name: {{ $resource }}
        target: {type: Utilization, averageUtilization: {{ $target }}}
    {{- end }}
    {{- with $hpa.additionalMetrics }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end -}}

{{- define "langsmith.scaledObject" -}}
{{- $keda := .part.autoscaling.keda -}}
{{- $backend := include "langsmith.endpoint" (dict "root" .root "component" "backend") -}}
{{- $platform := include "langsmith.endpoint" (dict "root" .root "component" "platformBackend") -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "langsmith.metadata" (dict "root" .root "name" .name "labels" $keda.labels "annotations" $keda.annotations) | nindent 2 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .name }}}
  minReplicaCount: {{ $keda.minReplicaCount }}
  maxReplicaCount: {{ $keda.maxReplicaCount }}
  pollingInterval: {{ $keda.pollingInterval }}
  cooldownPeriod: {{ $keda.cooldownPeriod }}
  triggers:
    {{- range $resource, $target := dict "cpu" $keda.targetCPUUtilizationPercentage "memory" $keda.targetMemoryUtilizationPercentage }}
    - type: {{ $resource }}
      metricType: Utilization
      metadata: {value: {{ $target | quote }}}
    {{- end }}
    {{- if eq .component "queue" }}
    - type: metrics-api
      metadata: {url: "{{ $backend }}/metrics/queue/default", valueLocation: queued, targetValue: {{ $keda.queueTargetSize | quote }}}
    {{- else if eq .component "ingestQueue" }}
    {{- range $queue := list "ingestion_queue" "feedback_queue" "adhoc_queue" }}
    - type: metrics-api
      metadata: {url: "{{ $platform }}/metrics?format=json", valueLocation: {{ $queue }}.pending, targetValue: {{ $keda.queueTargetSize | quote }}}
    {{- end }}
    {{- end }}
{{- end -}}

{{- define "langsmith.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "langsmith.metadata" (dict "root" .root "name" .name "labels" .part.pdb.labels "annotations" .part.pdb.annotations) | nindent 2 }}
spec:
  minAvailable: {{ .part.pdb.minAvailable }}
  selector:
    matchLabels:
      {{- include "langsmith.componentLabels" . | nindent 6 }}
{{- end -}}
