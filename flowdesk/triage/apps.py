from django.apps import AppConfig


class TriageConfig(AppConfig):
    name = "flowdesk.triage"
    label = "triage"
