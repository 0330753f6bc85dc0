from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "flowdesk.intake"
    label = "intake"
