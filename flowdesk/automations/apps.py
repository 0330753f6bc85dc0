from django.apps import AppConfig


class AutomationsConfig(AppConfig):
    name = "flowdesk.automations"
    label = "automations"
