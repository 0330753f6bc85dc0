"""Reads of policies beside the one in force."""

from __future__ import annotations

import re

from django.db import connection

from flowdesk.core.tenant import current_tenant
from flowdesk.policies import sql
from flowdesk.policies.models import Draft
from flowdesk.policies.packs import PackRule, pack_rules
from flowdesk.policies.services import current_policy


def rules_lacking() -> list[PackRule]:
    """The rules of the standard pack that the tenant has under their names neither in force nor in a draft, and never
    had: what somebody took out or renamed is not missed. In three statements at the most."""
    policy = current_policy()
    named = {rule.name for rule in policy.routing.rules}
    named |= {rule.name for rule in policy.escalation.events}
    named |= {rule.name for rule in policy.escalation.states}
    lacking = [rule for rule in pack_rules() if rule.name not in named]
    if not lacking:
        return []
    drafts = "\n".join(Draft.objects.values_list("source", flat=True))
    lacking = [rule for rule in lacking if not re.search(_as_named(rule.name), drafts, re.MULTILINE)]
    if not lacking:
        return []
    with connection.cursor() as cursor:
        patterns = [_as_named(rule.name) for rule in lacking]
        cursor.execute(sql.EVER_WRITTEN, [patterns, current_tenant()])
        known = {pattern for (pattern,) in cursor.fetchall()}
    return [rule for rule in lacking if _as_named(rule.name) not in known]


def _as_named(name: str) -> str:
    """How a rule of that name is written, to be searched for by us and by the database alike."""
    return rf"name:[ ]*[\"']?{re.escape(name)}[\"']?[ ]*([,}}#]|$)"
