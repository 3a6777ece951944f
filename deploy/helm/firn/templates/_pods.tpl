{{/* Parts of pods. Each takes a dict: root, and stage where it is about one. */}}

{{- define "firn.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "firn.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
capabilities: { drop: [ALL] }
{{- end -}}

{{/* What every pod of Firn has, services and jobs. */}}
{{- define "firn.podBase" -}}
serviceAccountName: {{ include "firn.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "firn.podSecurity" .root | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ quote . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A container of the image: args, and env that comes before what all have. */}}
{{- define "firn.containerBase" -}}
image: {{ include "firn.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- include "firn.containerSecurity" .root | nindent 2 }}
envFrom:
  - configMapRef: { name: {{ include "firn.fullname" .root }} }
{{- end -}}

{{- define "firn.secretEnv" -}}
{{- $values := .root.Values -}}
{{- if and (include "firn.natsSecret" .root) (ne .name "test") }}
- { name: NATS_URL_FILE, value: "/etc/firn/nats/{{ include "firn.natsKey" . }}" }
{{- end }}
{{- if and .lake $values.secrets.s3.name }}
- { name: S3_ACCESS_KEY_FILE, value: "/etc/firn/s3/{{ $values.secrets.s3.accessKey }}" }
- { name: S3_SECRET_KEY_FILE, value: "/etc/firn/s3/{{ $values.secrets.s3.secretKey }}" }
{{- end }}
{{- if and .database (include "firn.databaseSecret" .root) }}
- { name: DATABASE_URL_FILE, value: "/etc/firn/database/{{ $values.secrets.database.urlKey }}" }
{{- end }}
{{- if eq .name "catalog" }}
{{- if include "firn.catalogDatabaseSecret" .root }}
- { name: FIRN_CATALOG_DATABASE_URL_FILE, value: "/etc/firn/catalog-database/{{ $values.secrets.catalogDatabase.urlKey }}" }
{{- end }}
{{- else if .lake }}
{{- if $values.secrets.catalogToken.name }}
- { name: ICEBERG_CATALOG_TOKEN_FILE, value: "/etc/firn/catalog-token/{{ $values.secrets.catalogToken.tokenKey }}" }
{{- else if and $values.catalog.enabled (include "firn.tokensSecret" .root) }}
- { name: ICEBERG_CATALOG_TOKEN_FILE, value: /etc/firn/token/token }
{{- end }}
{{- end }}
{{- if .client }}
{{- if include "firn.tokensSecret" .root }}
- { name: FIRN_TOKEN_FILE, value: /etc/firn/token/token }
{{- end }}
{{- end }}
{{- if .guarded }}
{{- if include "firn.tokensSecret" .root }}
- { name: FIRN_TOKENS_FILE, value: /etc/firn/tokens/tokens.json }
{{- else }}
- { name: FIRN_ALLOW_UNGUARDED, value: "true" }
{{- end }}
{{- end }}
{{- if and (eq .name "ingest") $values.secrets.kafka.name }}
- { name: KAFKA_SASL_PASSWORD_FILE, value: "/etc/firn/kafka/{{ $values.secrets.kafka.passwordKey }}" }
{{- end }}
{{- if and .database $values.secrets.fred.name (ne .name "query") }}
- { name: FRED_API_KEY_FILE, value: "/etc/firn/fred/{{ $values.secrets.fred.apiKeyKey }}" }
{{- end }}
{{- end -}}

{{/* The files of firn.secretEnv, the folder for state and, where the warehouse is a folder, that. */}}
{{- define "firn.mounts" -}}
- { name: tmp, mountPath: /tmp }
- { name: state, mountPath: /data/state }
{{- range $mount := include "firn.mountedSecrets" . | fromYamlArray }}
- { name: {{ $mount.name }}, mountPath: /etc/firn/{{ $mount.name }}, readOnly: true }
{{- end }}
{{- if and .lake (not .root.Values.warehouse.uri) }}
- { name: warehouse, mountPath: /data/warehouse }
{{- end }}
{{- end -}}

{{- define "firn.volumes" -}}
- { name: tmp, emptyDir: { sizeLimit: 256Mi } }
{{- range $mount := include "firn.mountedSecrets" . | fromYamlArray }}
- name: {{ $mount.name }}
  secret:
    secretName: {{ $mount.secret | quote }}
    defaultMode: 288
    {{- with $mount.key }}
    items: [{ key: {{ quote . }}, path: {{ quote . }} }]
    {{- end }}
{{- end }}
{{- if and .lake (not .root.Values.warehouse.uri) }}
- { name: warehouse, persistentVolumeClaim: { claimName: {{ include "firn.fullname" .root }}-warehouse } }
{{- end }}
{{- end -}}

{{- define "firn.mountedSecrets" -}}
{{- $values := .root.Values -}}
{{- $tokens := include "firn.tokensSecret" .root -}}
{{- if ne .name "test" }}
{{- $nats := dict "context" . }}
{{- with include "firn.natsSecret" .root }}
- { name: nats, secret: {{ quote . }}{{ if not $nats.context.natsUsers }}, key: {{ include "firn.natsKey" $nats.context | quote }}{{ end }} }
{{- end }}
{{- end }}
{{- if and .lake $values.secrets.s3.name }}
- { name: s3, secret: {{ quote $values.secrets.s3.name }} }
{{- end }}
{{- if .database }}
{{- with include "firn.databaseSecret" .root }}
- { name: database, secret: {{ quote . }}, key: {{ quote $values.secrets.database.urlKey }} }
{{- end }}
{{- end }}
{{- if eq .name "catalog" }}
{{- with include "firn.catalogDatabaseSecret" .root }}
- { name: catalog-database, secret: {{ quote . }}, key: {{ quote $values.secrets.catalogDatabase.urlKey }} }
{{- end }}
{{- else if and .lake $values.secrets.catalogToken.name }}
- { name: catalog-token, secret: {{ quote $values.secrets.catalogToken.name }} }
{{- end }}
{{- if and $tokens (or .client (and .lake $values.catalog.enabled (not $values.secrets.catalogToken.name) (ne .name "catalog"))) }}
- { name: token, secret: {{ quote $tokens }}, key: token }
{{- end }}
{{- if and $tokens .guarded }}
- { name: tokens, secret: {{ quote $tokens }}, key: tokens.json }
{{- end }}
{{- if and (eq .name "ingest") $values.secrets.kafka.name }}
- { name: kafka, secret: {{ quote $values.secrets.kafka.name }} }
{{- end }}
{{- if and .database $values.secrets.fred.name (ne .name "query") }}
- { name: fred, secret: {{ quote $values.secrets.fred.name }} }
{{- end }}
{{- end -}}
