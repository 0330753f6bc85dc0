"""The cron route of the ticket automation: a machine's door, kept by a secret and not by a session."""

import hmac
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from flowdesk.accounts.limits import BAD_KEY_COST, TooManyRequests, must_be_within, spend_for_address
from flowdesk.accounts.models import Tenant
from flowdesk.automations.services import PREFIX, AlreadyRunning, Trigger
from flowdesk.core.actor import system
from flowdesk.core.errors import Invalid, NotFound, invalid
from flowdesk.core.ids import shown
from flowdesk.core.time import now
from flowdesk.flows.automate import run_automation

HEADER = "X-Flow-Automation-Secret"
LONGEST_KEY = 64


def _problem(status: int, code: str, detail: str, **more: Any) -> JsonResponse:
    """RFC 9457."""
    body = {
        "type": "about:blank",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": detail,
    }
    return JsonResponse({**body, **more}, status=status, content_type="application/problem+json")


@csrf_exempt
@require_POST
def run_automations(request: HttpRequest) -> JsonResponse:
    """Run the automation of all tenants, or of `?tenant=`; the body tells the counts of each.

    The header carries FLOW_TICKET_AUTOMATION_CRON_SECRET; without a secret set the door is shut. A second call
    while one runs answers 409 with its id; the same Idempotency-Key repeats the answer.
    """
    at = now()
    try:
        must_be_within(spend_for_address(request.META, at=at))
    except TooManyRequests as fault:
        refusal = _problem(fault.status, fault.code, fault.message)
        refusal["Retry-After"] = str(fault.retry_after)
        return refusal
    secret = settings.AUTOMATION_CRON_SECRET
    given = request.headers.get(HEADER, "") or request.headers.get("Authorization", "").removeprefix(
        "Bearer "
    )
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        spend_for_address(request.META, at=at, cost=BAD_KEY_COST)
        return _problem(401, "unauthorized", f"Send the automation's secret in the header {HEADER}.")
    try:
        key = _key(request)
        runs = [_run(tenant, key) for tenant in _tenants(request)]
    except AlreadyRunning as fault:
        return _problem(409, fault.code, fault.message, run=shown(PREFIX, fault.run))
    except Invalid as fault:
        errors = [{"field": one.field, "reason": one.reason} for one in fault.faults]
        return _problem(422, fault.code, fault.message, errors=errors)
    except NotFound:
        return _problem(404, "not_found", "There is no tenant by that name.")
    return JsonResponse({"runs": runs})


def _key(request: HttpRequest) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise invalid("Idempotency-Key", f"must be printable and at most {LONGEST_KEY} characters")
    return key


def _tenants(request: HttpRequest) -> list[Tenant]:
    wanted = request.GET.get("tenant")
    if wanted is None:
        return list(Tenant.objects.order_by("slug"))
    found = list(Tenant.objects.filter(slug=wanted))
    if not found:
        raise NotFound
    return found


def _run(tenant: Tenant, key: str) -> dict[str, Any]:
    ran = run_automation(trigger=Trigger.ROUTE, slot=key, by=system(tenant.id, name="cron"), now=now())
    return {
        "tenant": tenant.slug,
        "run": shown(PREFIX, ran.id),
        "started_at": ran.started_at.isoformat(),
        "counts": dict(ran.counts),
        "repeated": ran.is_repeat,
    }
