from django.apps import AppConfig


class EscalationConfig(AppConfig):
    name = "flowdesk.escalation"
    label = "escalation"
