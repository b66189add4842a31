{{- /* The seven application workloads: which image, what its port is called, which Service ports lead there, whether it
       gets commonEnv and langsmith-config (common) and the credentials of the data stores (data). */ -}}
{{- define "langsmith.components" -}}
frontend: {image: frontendImage, port: frontend, common: true, data: false}
backend: {image: backendImage, port: api, common: true, data: true}
platformBackend: {image: backendImage, port: platform, common: true, data: true}
queue: {image: backendImage, port: queue, common: true, data: true}
ingestQueue: {image: backendImage, port: ingest-queue, common: true, data: true}
playground: {image: backendImage, port: playground, common: false, data: false}
aceBackend: {image: aceBackendImage, port: ace-backend, common: false, data: false}
{{- end -}}

{{- /* Variables of one component alone. In: root, component, part. */ -}}
{{- define "langsmith.ownEnvironment" -}}
{{ include "langsmith.literal" (list "PORT" .part.containerPort) }}
{{- if eq .component "queue" }}
{{- include "langsmith.literal" (list "REDIS_MAX_CONNECTIONS" 250) }}
{{- include "langsmith.literal" (list "ASYNCPG_POOL_MAX_SIZE" 3) }}
{{- end }}
{{- end -}}
