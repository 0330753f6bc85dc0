"""Fills the frame around every page from the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.urls import reverse

from flowdesk.core.actor import Act
from flowdesk.core.ids import shown
from flowdesk.engine.roster import Duty, shift_ends_at
from flowdesk.notifications.models import Notice as NoticeRow
from flowdesk.people.queries import roster
from flowdesk.tickets.queries import lane_counts
from flowdesk.web import words
from flowdesk.web.access import AgentRequest
from flowdesk.web.hubs.words import breached_announcement
from flowdesk.web.notices.words import notice_state, notice_words, times
from flowdesk.web.parts import Face
from flowdesk.web.shell import Notice, Shell, TenantChoice, Toast, lanes, places
from flowdesk.web.ticket.words import on_shift_until

LATEST = 12
LANES = ("breached", "due", "mine", "unassigned", "waiting")


def shell_of(
    request: AgentRequest,
    *,
    now: datetime,
    current: str = "",
    lane: str = "",
    counts: Mapping[str, int] | None = None,
) -> Shell:
    """The shell as this person sees it; called inside a reading scope. `counts` of the lanes, where known."""
    counts = counts or lane_counts(now=now, me=request.actor.agent)
    inbox = reverse("inbox")
    told = notices_of(request, now=now, limit=LATEST)
    others = [one.tenant for one in request.memberships if one.tenant_id != request.actor.tenant]
    return Shell(
        tenant=request.tenant.slug,
        language=request.LANGUAGE_CODE or "en",
        theme=request.user.theme,
        now=words.iso(now, request.zone),
        formats=words.formats(),
        me=Face.of(request.user.name),
        shift=_shift(request, now),
        places=places(_hrefs(request, inbox), current=current, counts={"inbox": counts["all"]}),
        lanes=lanes({name: f"{inbox}?lane={name}" for name in LANES}, counts=counts, current=lane),
        tenants=tuple(TenantChoice(slug=tenant.slug, words=tenant.name) for tenant in others),
        notices=told.notices,
        unread=told.unread,
        toasts=toasts_of(request),
        announcement=breached_announcement(counts["breached"]) if counts["breached"] else "",
        has_keys=not request.user.keys_off,
        home_href=inbox,
        search_href=inbox,
        new_ticket_href=reverse("new-ticket") if request.actor.may(Act.OPEN) else "",
        notices_href=reverse("notices"),
        preferences_href=reverse("preferences"),
        tenant_href=reverse("switch-tenant"),
        account_href=reverse("account"),
        logout_href=reverse("account_logout"),
        login_href=reverse("account_login"),
    )


def _hrefs(request: AgentRequest, inbox: str) -> dict[str, str]:
    """The places this person may go to."""
    hrefs = {"inbox": inbox, "sla": reverse("sla-hub"), "crew": reverse("crew"), "issues": reverse("issues")}
    if request.actor.may(Act.WORK):
        hrefs["review"] = reverse("review")
    if request.actor.may(Act.CONFIGURE):
        hrefs["rules"] = reverse("rules")
        hrefs["own-fields"] = reverse("own-fields")
        hrefs["learning"] = reverse("learning")
        hrefs["members"] = reverse("members")
    if request.actor.may(Act.AUDIT):
        hrefs["audit"] = reverse("audit")
    return hrefs


def toasts_of(request: AgentRequest) -> tuple[Toast, ...]:
    """What was just done, or could not be, once."""
    return tuple(
        Toast(words=str(message), icon="check" if message.level == messages.SUCCESS else "bell")
        for message in messages.get_messages(request)
    )


def _shift(request: AgentRequest, now: datetime) -> str:
    """Until when this person is on duty; a duty round the clock on all seven days has no end to tell."""
    agent = request.actor.agent
    if agent is None:
        return ""
    shifts = roster([agent])
    if any(one.kind is Duty.WORK and len(one.weekdays) == 7 and one.starts == one.ends for one in shifts):
        return ""
    ends = shift_ends_at(shifts, agent=str(agent), at=now, kind=Duty.WORK)
    return (
        on_shift_until(words.clock(ends, request.zone)) if ends and ends - now < timedelta(hours=24) else ""
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What a person was told, the newest first; `more` is where the next page begins."""

    unread: int = 0
    notices: tuple[Notice, ...] = ()
    more: int | None = None


def notices_of(request: AgentRequest, *, now: datetime, limit: int, before: int | None = None) -> Told:
    """The newest `limit` rows; a run of the same news of one ticket is one notice with its count."""
    agent = request.actor.agent
    if agent is None:
        return Told()
    rows: Any = NoticeRow.objects.filter(agent_id=agent)
    unread = rows.filter(read_at__isnull=True).count()
    page = rows.select_related("ticket").order_by("-created_at", "-id")
    if before is not None:
        page = page.filter(id__lt=before)
    found = list(page[: limit + 1])
    runs = groupby(found[:limit], key=lambda row: (row.template, row.ticket_id, row.read_at is None))
    return Told(
        unread=unread,
        notices=tuple(_notice(request, list(run), now=now) for _key, run in runs),
        more=found[limit - 1].id if len(found) > limit else None,
    )


def _notice(request: AgentRequest, run: list[NoticeRow], *, now: datetime) -> Notice:
    row = run[0]
    said = notice_words(row.template, row.data, number=row.ticket.number, subject=row.ticket.subject)
    return Notice(
        id=str(row.id),
        words=times(said, len(run)),
        href=reverse("ticket", args=[shown("tkt", row.ticket.public_id)]),
        at=words.iso(row.created_at, request.zone),
        when=words.moment(row.created_at, zone=request.zone, now=now),
        state=notice_state(row.template, row.data),
        is_unread=row.read_at is None,
    )
