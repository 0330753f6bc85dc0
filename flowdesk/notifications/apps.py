from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "flowdesk.notifications"
    label = "notifications"
