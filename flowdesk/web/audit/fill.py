"""Fills the audit page from the log; called inside a reading scope."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from flowdesk.accounts.audit import AuditFilter, AuditLine, SealState, audit_page, last_seal
from flowdesk.accounts.models import ApiKey, Membership, User
from flowdesk.people.models import Customer
from flowdesk.web import words
from flowdesk.web.access import AgentRequest
from flowdesk.web.audit.page import AuditPage, AuditRow
from flowdesk.web.audit.words import ACTS, KINDS, NOTHING_YET, SEALS, THINGS, sealed_words
from flowdesk.web.parts import Choice, Empty, Field, Form, Kind
from flowdesk.web.vocabulary import say

PAGE = 50
ASKED = ("act", "who", "since", "until")


def asked_filter(values: Mapping[str, str], request: AgentRequest) -> AuditFilter:
    """The filter in an address or a form; what cannot be read asks for all. Days are the reader's own."""
    kind, _colon, number = values.get("who", "").partition(":")
    actor = int(number) if number.isdecimal() and number.isascii() and len(number) < 19 else None
    until = _midnight(values.get("until", ""), request)
    return AuditFilter(
        act=values.get("act", "")[:64],
        actor_kind=kind if kind in KINDS and (actor is not None or kind == "system") else "",
        actor_id=actor,
        since=_midnight(values.get("since", ""), request),
        until=until + timedelta(days=1) if until else None,
    )


def _midnight(text: str, request: AgentRequest) -> datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    if day is None or not 1970 <= day.year <= 9000:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=request.zone)


def audit_page_of(request: AgentRequest, *, now: datetime) -> AuditPage:
    """The page that the address asks for."""
    given = {name: request.GET.get(name, "") for name in ASKED}
    before = request.GET.get("before", "")
    lines = audit_page(
        asked_filter(given, request),
        before=int(before) if before.isdecimal() and before.isascii() and len(before) < 19 else None,
        limit=PAGE + 1,
    )
    shown, href = lines[:PAGE], reverse("audit")
    names = _names(shown, request)
    rows = tuple(_row(line, names, request=request, now=now) for line in shown)
    asked = {name: value for name, value in given.items() if value}
    more = urlencode({**asked, "before": shown[-1].entry.id}) if len(lines) > PAGE else ""
    seal = last_seal()
    export = Form(
        id="export", href=reverse("export-audit"), submit=_("Export as CSV"), hidden=tuple(asked.items())
    )
    return AuditPage(
        sealed_words=sealed_words(
            seal[0] if seal else None,
            words.moment(seal[1], zone=request.zone, now=now) if seal else "",
        ),
        rows=rows,
        filters=_fields(given, request),
        href=href,
        filters_set=len(asked),
        broken=sum(row.seal == SealState.BROKEN for row in rows),
        more_href=f"{href}?{more}" if more else "",
        export=export if rows else None,
        empty=None if rows else Empty(title=str(NOTHING_YET[0]), words=str(NOTHING_YET[1])),
    )


def _fields(given: Mapping[str, str], request: AgentRequest) -> tuple[Field, ...]:
    members = Membership.objects.filter(tenant_id=request.actor.tenant).select_related("user")
    people = [(f"user:{one.user_id}", one.user.name) for one in members.order_by("user__name")]
    keys = ApiKey.objects.filter(tenant_id=request.actor.tenant).order_by("name", "id")
    programs = [(f"api_key:{key.id}", f"{key.name} ({key.prefix}…)") for key in keys]
    acts = sorted(((act, str(said)) for act, said in ACTS.items()), key=lambda pair: pair[1])
    who = [*people, *programs, ("system", say(KINDS, "system"))]
    return (
        _choice("act", _("Act"), [("", _("All acts")), *acts], given["act"]),
        _choice("who", _("By"), [("", _("Everybody")), *who], given["who"]),
        Field(name="since", label=_("From"), kind=Kind.DATE, value=given["since"]),
        Field(name="until", label=_("Until"), kind=Kind.DATE, value=given["until"]),
    )


def _choice(name: str, label: str, choices: Iterable[tuple[str, str]], chosen: str) -> Field:
    return Field(
        name=name,
        label=label,
        kind=Kind.SELECT,
        choices=tuple(Choice(value=value, words=said, is_chosen=value == chosen) for value, said in choices),
    )


Names = Mapping[tuple[str, int | None], str]


def _names(lines: Iterable[AuditLine], request: AgentRequest) -> Names:
    """The names behind the ids of some entries; a thing that is gone has none."""
    ids: dict[str, set[int]] = {"user": set(), "api_key": set(), "customer": set()}
    for line in lines:
        entry = line.entry
        for kind, number in ((entry.actor_kind, entry.actor_id), (entry.thing, entry.thing_id)):
            if kind in ids and number is not None:
                ids[kind].add(number)
    keys: Any = ApiKey.objects.filter(tenant_id=request.actor.tenant, id__in=ids["api_key"])
    found = {
        "user": User.objects.filter(id__in=ids["user"]).values_list("id", "name"),
        "api_key": keys.values_list("id", "name"),
        "customer": Customer.objects.filter(id__in=ids["customer"]).values_list("id", "name"),
    }
    return {(kind, number): name for kind, pairs in found.items() for number, name in pairs}


def _row(line: AuditLine, names: Names, *, request: AgentRequest, now: datetime) -> AuditRow:
    entry = line.entry
    who = names.get((entry.actor_kind, entry.actor_id)) or say(KINDS, entry.actor_kind)
    thing = say(THINGS, entry.thing)
    named = names.get((entry.thing, entry.thing_id)) or (f"#{entry.thing_id}" if entry.thing_id else "")
    return AuditRow(
        at=words.iso(entry.at, request.zone),
        when=words.moment(entry.at, zone=request.zone, now=now),
        who=who,
        words=say(ACTS, entry.act),
        thing=f"{thing} {named}".strip(),
        change=tuple(
            (name, _said(entry.before.get(name)), _said(value))
            for name, value in entry.after.items()
            if value != entry.before.get(name)
        ),
        number=str(line.number or ""),
        seal=line.seal.value,
        seal_words=say(SEALS, line.seal.value),
    )


def _said(value: Any) -> str:
    """A stored value in a cell: ids and enumerations as they are, a list by its parts."""
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
