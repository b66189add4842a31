{{- /* The objects every component has. Each define takes: root, part (its values), name (of the workload). */ -}}

{{- define "langsmith.serviceAccount" -}}
{{- $account := .part.serviceAccount -}}
{{- if $account.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- $name := include "langsmith.serviceAccountName" (dict "account" $account "name" .name) }}
  {{- include "langsmith.metadata" (dict "root" .root "name" $name "labels" $account.labels "annotations" $account.annotations) | nindent 2 }}
automountServiceAccountToken: {{ dig "automountServiceAccountToken" true $account }}
{{- end -}}
{{- end -}}

{{- /* In, besides: ports, a list of name and port; targetPort is the name of the container's port. */ -}}
{{- define "langsmith.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "langsmith.metadata" (dict "root" .root "name" .name "labels" .part.service.labels "annotations" .part.service.annotations) | nindent 2 }}
spec:
  type: {{ .part.service.type }}
  {{- with .part.service.loadBalancerSourceRanges }}
  loadBalancerSourceRanges:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .part.service.loadBalancerIP }}
  loadBalancerIP: {{ . }}
  {{- end }}
  ports:
    {{- range .ports }}
    - name: {{ .name }}
      port: {{ .port }}
      targetPort: {{ .targetPort }}
      protocol: TCP
    {{- end }}
  selector:
    {{- include "langsmith.componentLabels" . | nindent 4 }}
{{- end -}}

{{- /* The checksum of a Secret that somebody else makes cannot be known: its change restarts nothing. */ -}}
{{- define "langsmith.checksums" -}}
checksum/config: {{ include "langsmith.configuration" . | sha256sum }}
checksum/frontend-config: {{ include "langsmith.nginx" . | sha256sum }}
{{- if not .Values.config.existingSecretName }}
checksum/secrets: {{ include "langsmith.secretData" . | sha256sum }}
{{- end }}
{{- range $store := list "postgres" "redis" "clickhouse" }}
{{- if not (index $.Values $store).external.existingSecretName }}
checksum/{{ $store }}: {{ include (printf "langsmith.%sSecretData" $store) $ | sha256sum }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Metadata of a pod. In, besides: settings (the values of the Deployment, StatefulSet or Job). */ -}}
{{- define "langsmith.podMetadata" -}}
labels:
  {{- include "langsmith.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .name }}
  {{- with .settings.labels }}{{ toYaml . | nindent 2 }}{{ end }}
{{- $annotations := merge (dict) (.settings.annotations | default dict) .root.Values.commonPodAnnotations (.checksums | default dict) }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* What the official chart lets people set of any pod, and no more. In, besides: settings, common (whether the
       common volumes and init containers are for it), volumes (of the chart). */ -}}
{{- define "langsmith.podSettings" -}}
{{- $common := .common | ternary .root.Values (dict) -}}
{{- $keys := dict "nodeSelector" .settings.nodeSelector "tolerations" .settings.tolerations "affinity" .settings.affinity -}}
{{- $_ := set $keys "topologySpreadConstraints" .settings.topologySpreadConstraints -}}
{{- $_ := set $keys "priorityClassName" .settings.priorityClassName -}}
{{- $_ := set $keys "imagePullSecrets" .root.Values.images.imagePullSecrets -}}
{{- $_ := set $keys "dnsConfig" .root.Values.commonDnsConfig -}}
{{- $_ := set $keys "securityContext" (merge (dict) (.settings.podSecurityContext | default dict) .root.Values.commonPodSecurityContext) -}}
{{- $_ := set $keys "initContainers" (concat ($common.commonInitContainers | default list) (.settings.initContainers | default list)) -}}
{{- $_ := set $keys "volumes" (concat (.volumes | default list) ($common.commonVolumes | default list) (.settings.volumes | default list)) -}}
{{- range $key, $value := $keys }}{{ with $value }}
{{ toYaml (dict $key .) }}
{{- end }}{{ end }}
{{- end -}}

{{- /* One container. In, besides: container (its name), image (a key of images), settings, ports, env (text),
       common, envFrom (whether it reads langsmith-config), mounts (of the chart). */ -}}
{{- define "langsmith.container" -}}
{{- $common := .common | ternary .root.Values (dict) -}}
- name: {{ .container }}
  image: {{ include "langsmith.image" (dict "root" .root "image" .image) }}
  imagePullPolicy: {{ (index .root.Values.images .image).pullPolicy }}
  {{- with .settings.command }}
  command:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .ports }}
  ports:
    {{- range . }}
    - name: {{ .name }}
      containerPort: {{ .port }}
      protocol: TCP
    {{- end }}
  {{- end }}
  {{- with .env }}{{ . | nindent 2 }}{{ end }}
  {{- if .envFrom }}
  envFrom:
    - configMapRef:
        name: {{ include "langsmith.fullname" .root }}-config
  {{- end }}
  {{- range $key := list "startupProbe" "readinessProbe" "livenessProbe" "resources" "securityContext" "lifecycle" }}
  {{- with index $.settings $key }}{{ toYaml (dict $key .) | nindent 2 }}{{ end }}
  {{- end }}
  {{- with concat (.mounts | default list) ($common.commonVolumeMounts | default list) (.settings.volumeMounts | default list) }}
  volumeMounts:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .settings.extraContainerConfig }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with .settings.sidecars }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end -}}

{{- /* In, besides: what langsmith.container and langsmith.podSettings take. */ -}}
{{- define "langsmith.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "langsmith.metadata" (dict "root" .root "name" .name "labels" .settings.labels "annotations" .settings.annotations) | nindent 2 }}
spec:
  {{- if not (or (dig "autoscaling" "hpa" "enabled" false .part) (dig "autoscaling" "keda" "enabled" false .part)) }}
  replicas: {{ dig "replicaCount" .settings.replicas .settings }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "langsmith.componentLabels" . | nindent 6 }}
  template:
    metadata:
      {{- include "langsmith.podMetadata" . | nindent 6 }}
    spec:
      serviceAccountName: {{ include "langsmith.serviceAccountName" (dict "account" .part.serviceAccount "name" .name) }}
      terminationGracePeriodSeconds: {{ .settings.terminationGracePeriodSeconds }}
      containers:
        {{- include "langsmith.container" . | nindent 8 }}
      {{- include "langsmith.podSettings" . | trim | nindent 6 }}
{{- end -}}

{{- /* One pod with one volume called data. In, besides: data (where the volume is mounted). */ -}}
{{- define "langsmith.statefulSet" -}}
{{- $persistence := .settings.persistence -}}
{{- $mounts := append (.mounts | default list) (dict "name" "data" "mountPath" .data) -}}
{{- $volumes := $persistence.enabled | ternary .volumes (append (.volumes | default list) (dict "name" "data" "emptyDir" dict)) -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "langsmith.metadata" (dict "root" .root "name" .name "labels" .settings.labels "annotations" .settings.annotations) | nindent 2 }}
spec:
  serviceName: {{ .name }}
  replicas: 1
  {{- with .settings.updateStrategy }}
  updateStrategy:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .settings.persistentVolumeClaimRetentionPolicy }}
  persistentVolumeClaimRetentionPolicy:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "langsmith.componentLabels" . | nindent 6 }}
  template:
    metadata:
      {{- include "langsmith.podMetadata" . | nindent 6 }}
    spec:
      serviceAccountName: {{ include "langsmith.serviceAccountName" (dict "account" .part.serviceAccount "name" .name) }}
      terminationGracePeriodSeconds: {{ .settings.terminationGracePeriodSeconds }}
      containers:
        {{- include "langsmith.container" (merge (dict "mounts" $mounts) .) | nindent 8 }}
      {{- include "langsmith.podSettings" (merge (dict "volumes" $volumes) .) | trim | nindent 6 }}
  {{- if $persistence.enabled }}
  volumeClaimTemplates:
    - apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: data
        labels:
          {{- include "langsmith.componentLabels" . | nindent 10 }}
      spec:
        accessModes: [ReadWriteOnce]
        resources:
          requests:
            storage: {{ $persistence.size }}
        {{- with $persistence.storageClassName }}
        storageClassName: {{ . }}
        {{- end }}
  {{- end }}
{{- end -}}
