{{- define "firn.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "firn.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: firn
{{ include "firn.selector" . }}
{{- end -}}

{{- define "firn.selector" -}}
app.kubernetes.io/name: firn
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "firn.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "firn.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ default (include "firn.fullname" .) .Values.serviceAccount.name }}
{{- else -}}{{ default "default" .Values.serviceAccount.name }}{{- end -}}
{{- end -}}

{{- define "firn.natsSecret" -}}
{{- if .Values.secrets.nats.name -}}{{ .Values.secrets.nats.name }}
{{- else if and .Values.nats.enabled .Values.nats.users -}}{{ .Release.Name }}-nats-users{{- end -}}
{{- end -}}

{{/* Key of a container's address of NATS in that Secret: the service's name, firn for jobs. */}}
{{- define "firn.natsKey" -}}
{{- $secrets := .root.Values.secrets.nats -}}
{{- if and $secrets.name (not $secrets.eachService) -}}{{ $secrets.urlKey }}
{{- else -}}{{ .natsUser | default .name }}{{- end -}}
{{- end -}}

{{- define "firn.tokensSecret" -}}
{{- if .Values.tokens.existingSecret -}}{{ .Values.tokens.existingSecret }}
{{- else if .Values.tokens.create -}}{{ include "firn.fullname" . }}-tokens{{- end -}}
{{- end -}}

{{- define "firn.databaseSecret" -}}
{{- if .Values.secrets.database.name -}}{{ .Values.secrets.database.name }}
{{- else if .Values.postgresql.enabled -}}{{ .Release.Name }}-postgresql{{- end -}}
{{- end -}}

{{- define "firn.catalogDatabaseSecret" -}}
{{- if .Values.secrets.catalogDatabase.name -}}{{ .Values.secrets.catalogDatabase.name }}
{{- else if .Values.postgresql.enabled -}}{{ .Release.Name }}-postgresql{{- end -}}
{{- end -}}

{{/* The stages of this release that are on, as YAML: key of the values, name, port, and what they need. */}}
{{- define "firn.stages" -}}
{{- $all := list
  (dict "key" "ingest" "name" "ingest" "port" 4100 "guarded" true "public" true)
  (dict "key" "validator" "name" "validator" "port" 4301)
  (dict "key" "aggregator" "name" "aggregator" "port" 4302 "lake" true)
  (dict "key" "catalogWriter" "name" "catalog-writer" "port" 4303 "lake" true)
  (dict "key" "query" "name" "query" "port" 4200 "lake" true "database" true "guarded" true "public" true)
  (dict "key" "catalog" "name" "catalog" "port" 8181 "lake" true "guarded" true)
  (dict "key" "market" "name" "market" "port" 4304 "lake" true "database" true "client" true) -}}
{{- range $stage := $all }}
{{- $values := mustMergeOverwrite (deepCopy $.Values.stageDefaults) (deepCopy (index $.Values $stage.key)) }}
{{- if and $values.enabled (or (ne $stage.key "market") $.Values.lakeJobs.market.enabled) }}
{{ $stage.name }}:
  {{- toYaml (mustMerge (dict "values" $values "kind" (ternary "StatefulSet" "Deployment" $values.persistence.enabled)) $stage) | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}
