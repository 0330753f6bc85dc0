from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "flowdesk.policies"
    label = "policies"
