{{/* The name of everything that belongs to a release; 63 characters are what Kubernetes allows. */}}
{{- define "ordu.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the pods are found by. It never changes in the life of a release. */}}
{{- define "ordu.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "ordu.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "ordu.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "ordu.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "ordu.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "ordu.secretName" -}}
{{- default (include "ordu.fullname" .) .Values.secret.existing -}}
{{- end -}}

{{- define "ordu.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{/* The name that the ingress answers to: given, or the one in publicUrl without its port. */}}
{{- define "ordu.host" -}}
{{- default (index (splitList ":" (urlParse .Values.publicUrl).host) 0) .Values.ingress.host -}}
{{- end -}}
