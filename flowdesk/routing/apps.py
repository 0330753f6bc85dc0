from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "flowdesk.routing"
    label = "routing"
