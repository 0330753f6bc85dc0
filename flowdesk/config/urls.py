"""Every address, floor by floor."""

from django.urls import include, path

from flowdesk.config.health import healthz

urlpatterns = [
    path("healthz", healthz),
    path("api/v1/", include("flowdesk.api.urls")),
    path("", include("flowdesk.web.urls")),
]
