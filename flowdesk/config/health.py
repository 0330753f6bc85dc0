"""Is this process alive?

Says nothing of the database, so that a load balancer does not kill what only waits for it.
"""

from django.http import HttpRequest, JsonResponse


def healthz(_: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})
