{{- /* Names, labels and images. Every define takes the root context unless it says otherwise. */ -}}

{{- define "langsmith.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* A release called langsmith, or langsmith-eu, is not called langsmith twice. */ -}}
{{- define "langsmith.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $both | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "langsmith.namespace" -}}
{{- .Values.namespace | default .Release.Namespace -}}
{{- end -}}

{{- define "langsmith.selectorLabels" -}}
app.kubernetes.io/name: {{ include "langsmith.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* Of everything. The component is not among them: it is on pods and in selectors only. */ -}}
{{- define "langsmith.labels" -}}
{{- with .Values.commonLabels }}{{ toYaml . }}
{{ end -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "langsmith.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- /* The metadata of one object. In: root, name, and optionally labels and annotations of its own. */ -}}
{{- define "langsmith.metadata" -}}
name: {{ .name }}
namespace: {{ include "langsmith.namespace" .root }}
labels:
  {{- include "langsmith.labels" .root | nindent 2 }}
  {{- with .labels }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* What selects the pods of one component. In: root, name (of the workload). */ -}}
{{- define "langsmith.componentLabels" -}}
{{ include "langsmith.selectorLabels" .root }}
app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{- /* In: root, account (a serviceAccount block), name (of the workload). */ -}}
{{- define "langsmith.serviceAccountName" -}}
{{- .account.name | default (.account.create | ternary .name "default") -}}
{{- end -}}

{{- /* In: root, image (a key of .Values.images). */ -}}
{{- define "langsmith.image" -}}
{{- $image := index .root.Values.images .image -}}
{{- with .root.Values.images.registry }}{{ . }}/{{ end }}{{ $image.repository }}:{{ $image.tag | default .root.Chart.AppVersion -}}
{{- end -}}

{{- /* The host without scheme: of Ingress rules and DNS records. */ -}}
{{- define "langsmith.host" -}}
{{- regexReplaceAll "^[a-zA-Z][a-zA-Z0-9+.-]*://" .Values.config.hostname "" | trimSuffix "/" -}}
{{- end -}}

{{- /* The public address. A host without scheme is taken as https. */ -}}
{{- define "langsmith.url" -}}
{{- $host := .Values.config.hostname | trimSuffix "/" -}}
{{- $local := regexMatch "^(localhost|127\\.0\\.0\\.1|\\[::1\\])(:[0-9]+)?$" $host -}}
{{- contains "://" $host | ternary $host (printf "%s://%s" ($local | ternary "http" "https") $host) -}}
{{- include "langsmith.path" . -}}
{{- end -}}

{{- define "langsmith.path" -}}
{{- with .Values.config.basePath }}/{{ trimAll "/" . }}{{ end -}}
{{- end -}}

{{- /* Where a component answers inside the cluster. In: root, component (a key of .Values). */ -}}
{{- define "langsmith.endpoint" -}}
{{- $part := index .root.Values .component -}}
http://{{ include "langsmith.fullname" .root }}-{{ $part.name }}.{{ include "langsmith.namespace" .root }}.svc.{{ .root.Values.clusterDomain }}:{{ $part.service.port -}}
{{- end -}}
