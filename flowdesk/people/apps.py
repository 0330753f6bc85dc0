from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "flowdesk.people"
    label = "people"
