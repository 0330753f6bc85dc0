"""Every address, floor by floor."""

from django.urls import path

from flowdesk.config.health import healthz

urlpatterns = [
    path("healthz", healthz),
]
