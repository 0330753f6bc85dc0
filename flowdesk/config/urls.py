"""Every address, floor by floor."""

from django.urls import include, path

from flowdesk.config.health import healthz, readyz
from flowdesk.config.metrics import scrape

handler500 = "flowdesk.web.outage.server_error"

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", scrape),
    path("api/v1/", include("flowdesk.api.urls")),
    path("", include("flowdesk.web.urls")),
]

handler403 = "flowdesk.web.fault_pages.not_allowed"
handler404 = "flowdesk.web.fault_pages.not_found"
