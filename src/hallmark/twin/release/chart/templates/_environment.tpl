{{- /* What containers learn from their environment. Secrets come by reference, never by value. */ -}}

{{- define "langsmith.secretsName" -}}
{{- .Values.config.existingSecretName | default (printf "%s-secrets" (include "langsmith.fullname" .)) -}}
{{- end -}}

{{- /* In: root, store (postgres, redis, clickhouse). An existing Secret counts with external.enabled=false, too. */ -}}
{{- define "langsmith.storeSecretName" -}}
{{- $store := index .root.Values .store -}}
{{- $store.external.existingSecretName | default (printf "%s-%s" (include "langsmith.fullname" .root) $store.name) -}}
{{- end -}}

{{- /* In: name, value. */ -}}
{{- define "langsmith.literal" -}}
- name: {{ index . 0 }}
  value: {{ index . 1 | toString | quote }}
{{ end -}}

{{- /* In: name, Secret, key, whether the pod starts without it. */ -}}
{{- define "langsmith.fromSecret" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
      optional: {{ index . 3 }}
{{ end -}}

{{- define "langsmith.postgresEnvironment" -}}
{{- $external := .Values.postgres.external -}}
{{- $secret := include "langsmith.storeSecretName" (dict "root" . "store" "postgres") -}}
{{- $key := $external.connectionUrlSecretKey -}}
{{ include "langsmith.fromSecret" (list "POSTGRES_DATABASE_URI" $secret $key .Values.config.disableSecretCreation) }}
{{- if $external.enabled }}
{{- include "langsmith.literal" (list "POSTGRES_SCHEMA" $external.schema) }}
{{- include "langsmith.literal" (list "POSTGRES_TLS" $external.customTls) }}
{{- end }}
{{- with $external.iamAuthProvider }}{{ include "langsmith.literal" (list "POSTGRES_IAM_AUTH_PROVIDER" .) }}{{ end }}
{{- end -}}

{{- define "langsmith.redisEnvironment" -}}
{{- $external := .Values.redis.external -}}
{{- $cluster := $external.cluster -}}
{{- $secret := include "langsmith.storeSecretName" (dict "root" . "store" "redis") -}}
{{- $optional := .Values.config.disableSecretCreation -}}
{{ include "langsmith.literal" (list "REDIS_CLUSTER_ENABLED" $cluster.enabled) }}
{{- if $cluster.enabled }}
{{- include "langsmith.fromSecret" (list "REDIS_CLUSTER_DATABASE_URIS" $secret $cluster.nodeUrisSecretKey $optional) }}
{{- include "langsmith.fromSecret" (list "REDIS_CLUSTER_PASSWORD" $secret $cluster.passwordSecretKey $optional) }}
{{- include "langsmith.literal" (list "REDIS_CLUSTER_USE_SSL_CONNECTION" $cluster.tlsEnabled) }}
{{- else }}
{{- include "langsmith.fromSecret" (list "REDIS_DATABASE_URI" $secret $external.connectionUrlSecretKey $optional) }}
{{- end }}
{{- with $external.iamAuthProvider }}{{ include "langsmith.literal" (list "REDIS_IAM_AUTH_PROVIDER" .) }}{{ end }}
{{- end -}}

{{- /* All seven keys, whether ClickHouse is in the cluster or not: one that lacks stops every pod. */ -}}
{{- define "langsmith.clickhouseEnvironment" -}}
{{- $external := .Values.clickhouse.external -}}
{{- $secret := include "langsmith.storeSecretName" (dict "root" . "store" "clickhouse") -}}
{{- $optional := .Values.config.disableSecretCreation -}}
{{- range $name, $key := dict "DB" $external.databaseSecretKey "HOST" $external.hostSecretKey "PORT" $external.portSecretKey "NATIVE_PORT" $external.nativePortSecretKey "USER" $external.userSecretKey "PASSWORD" $external.passwordSecretKey "TLS" $external.tlsSecretKey }}
{{- include "langsmith.fromSecret" (list (printf "CLICKHOUSE_%s" $name) $secret $key $optional) }}
{{- end }}
{{- include "langsmith.literal" (list "CLICKHOUSE_HYBRID" $external.hybrid) }}
{{- include "langsmith.literal" (list "CLICKHOUSE_CLUSTER" $external.cluster) }}
{{- end -}}

{{- define "langsmith.blobEnvironment" -}}
{{- $blob := .Values.config.blobStorage -}}
{{- $hybrid := .Values.clickhouse.external.hybrid -}}
{{- $secret := include "langsmith.secretsName" . -}}
{{- if $blob.enabled }}
{{- include "langsmith.literal" (list "FF_S3_STORAGE_ENABLED" true) }}
{{- include "langsmith.literal" (list "FF_BLOB_STORAGE_ENABLED" true) }}
{{- include "langsmith.literal" (list "BLOB_STORAGE_ENGINE" $blob.engine) }}
{{- include "langsmith.literal" (list "MIN_BLOB_STORAGE_SIZE_KB" ($hybrid | ternary 0 $blob.minBlobStorageSizeKb)) }}
{{- include "langsmith.literal" (list "S3_BUCKET_NAME" $blob.bucketName) }}
{{- include "langsmith.literal" (list "S3_RUN_MANIFEST_BUCKET_NAME" $blob.bucketName) }}
{{- include "langsmith.literal" (list "S3_API_URL" $blob.apiURL) }}
{{- include "langsmith.literal" (list "S3_USE_PATH_STYLE" $blob.s3UsePathStyle) }}
{{- include "langsmith.fromSecret" (list "S3_ACCESS_KEY" $secret "blob_storage_access_key" true) }}
{{- include "langsmith.fromSecret" (list "S3_ACCESS_KEY_SECRET" $secret "blob_storage_access_key_secret" true) }}
{{- if $blob.kmsEncryptionEnabled }}
{{- include "langsmith.literal" (list "S3_KMS_ENCRYPTION_ENABLED" true) }}
{{- with $blob.kmsKeyArn }}{{ include "langsmith.literal" (list "S3_KMS_KEY_ARN" .) }}{{ end }}
{{- end }}
{{- end }}
{{- include "langsmith.literal" (list "FF_CH_SEARCH_ENABLED" (and $blob.chSearchEnabled (not $hybrid))) }}
{{- end -}}

{{- define "langsmith.authEnvironment" -}}
{{- $config := .Values.config -}}
{{- $secret := include "langsmith.secretsName" . -}}
{{- $optional := $config.disableSecretCreation -}}
{{- $keys := dict "LANGSMITH_LICENSE_KEY" "langsmith_license_key" "LANGGRAPH_CLOUD_LICENSE_KEY" "langsmith_license_key" "API_KEY_SALT" "api_key_salt" -}}
{{- /* The salt signs tokens between services, unless commonEnv brings a secret of its own for that. */ -}}
{{- $_ := set $keys "X_SERVICE_AUTH_JWT_SECRET" "api_key_salt" -}}
{{- range .Values.commonEnv }}{{ if eq .name "X_SERVICE_AUTH_JWT_SECRET" }}{{ $_ := unset $keys .name }}{{ end }}{{ end }}
{{- if $config.basicAuth.enabled }}{{ $_ := set $keys "BASIC_AUTH_JWT_SECRET" "jwt_secret" }}{{ end }}
{{- if $config.oauth.enabled }}
{{- $_ := set $keys "OAUTH_CLIENT_ID" "oauth_client_id" }}
{{- $_ := set $keys "OAUTH_ISSUER_URL" "oauth_issuer_url" }}
{{- if eq $config.authType "mixed" }}{{ $_ := set $keys "OAUTH_CLIENT_SECRET" "oauth_client_secret" }}{{ end }}
{{- end }}
{{- range $name, $key := $keys }}{{ include "langsmith.fromSecret" (list $name $secret $key $optional) }}{{ end }}
{{- /* Demanded whenever the product is on, whoever makes the Secret: see insights and polly in values.yaml. */ -}}
{{- if .Values.insights.enabled }}{{ include "langsmith.fromSecret" (list "CLIO_ENCRYPTION_KEY" $secret "insights_encryption_key" false) }}{{ end }}
{{- if .Values.polly.enabled }}{{ include "langsmith.fromSecret" (list "POLLY_ENCRYPTION_KEY" $secret "polly_encryption_key" false) }}{{ end }}
{{- include "langsmith.literal" (list "BASIC_AUTH_ENABLED" $config.basicAuth.enabled) }}
{{- end -}}

{{- define "langsmith.settingsEnvironment" -}}
{{- $config := .Values.config -}}
{{- with $config.hostname }}
{{- include "langsmith.literal" (list "LANGSMITH_URL" (printf "%s%s" (include "langsmith.host" $) (include "langsmith.path" $))) }}
{{- end }}
{{- include "langsmith.literal" (list "LOG_LEVEL" $config.logLevel) }}
{{- include "langsmith.literal" (list "FF_ORG_CREATION_DISABLED" $config.userOrgCreationDisabled) }}
{{- include "langsmith.literal" (list "FF_PERSONAL_ORGS_DISABLED" $config.personalOrgsDisabled) }}
{{- if $config.workspaceScopeOrgInvitesEnabled }}{{ include "langsmith.literal" (list "FF_WORKSPACE_SCOPE_ORG_INVITES_ENABLED" true) }}{{ end }}
{{- if $config.infoEndpointAuthRequired }}{{ include "langsmith.literal" (list "FF_INFO_ENDPOINT_AUTH_REQUIRED" true) }}{{ end }}
{{- if $config.ttl.enabled }}
{{- $ttl := $config.ttl.ttl_period_seconds }}
{{- include "langsmith.literal" (list "FF_TRACE_TIERS_ENABLED" true) }}
{{- include "langsmith.literal" (list "FF_UPGRADE_TRACE_TIER_ENABLED" true) }}
{{- include "langsmith.literal" (list "TRACE_TIER_TTL_DURATION_SEC_MAP" (printf "{ \"longlived\": %v, \"shortlived\": %v }" $ttl.longlived $ttl.shortlived)) }}
{{- end }}
{{- include "langsmith.literal" (list "REDIS_RUNS_EXPIRY_SECONDS" $config.settings.redisRunsExpirySeconds) }}
{{- if .Values.ingestQueue.enabled }}
{{- include "langsmith.literal" (list "GO_QUEUE_ENABLED_ALL" true) }}
{{- include "langsmith.literal" (list "GO_FEEDBACK_QUEUE_ENABLED_ALL" true) }}
{{- end }}
{{- end -}}

{{- /* Of every workload and Job that uses the data stores. */ -}}
{{- define "langsmith.dataEnvironment" -}}
{{ include "langsmith.postgresEnvironment" . }}
{{- include "langsmith.redisEnvironment" . }}
{{- include "langsmith.clickhouseEnvironment" . }}
{{- include "langsmith.authEnvironment" . }}
{{- include "langsmith.blobEnvironment" . }}
{{- include "langsmith.settingsEnvironment" . }}
{{- end -}}

{{- /* The key env of a container. In: root, common and data (whether commonEnv and the variables of the data stores are
       for it), own and extra (lists of variables). A name that is given twice is refused. */ -}}
{{- define "langsmith.environment" -}}
{{- $all := concat (.own | default list) (.extra | default list) -}}
{{- if .common }}{{ $all = concat .root.Values.commonEnv $all }}{{ end -}}
{{- if .data }}{{ $all = concat (include "langsmith.dataEnvironment" .root | fromYamlArray) $all }}{{ end -}}
{{- $seen := dict -}}
{{- range $all }}
{{- if hasKey $seen .name }}{{ fail (printf "Duplicate keys detected: [%s]. A variable of commonEnv or extraEnv is set by the chart already." .name) }}{{ end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- with $all }}env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
