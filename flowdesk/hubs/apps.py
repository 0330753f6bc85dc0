from django.apps import AppConfig


class HubsConfig(AppConfig):
    name = "flowdesk.hubs"
    label = "hubs"
