"""Fills the pages of issues and of duplicates; called inside a reading scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from flowdesk.core.actor import Act
from flowdesk.core.ids import shown
from flowdesk.tickets.merges import MergeLine, latest_merges
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.queries import first_words_of
from flowdesk.tickets.services import PREFIX as TICKET
from flowdesk.triage import doubles, issues
from flowdesk.triage.doubles import Double
from flowdesk.triage.models import Issue, IssueStatus
from flowdesk.web import words
from flowdesk.web.access import AgentRequest
from flowdesk.web.drawings import Spark
from flowdesk.web.issues.page import (
    DoubleRow,
    DuplicatesPage,
    IssuePage,
    IssueRow,
    IssuesPage,
    MergeRow,
    TicketLine,
)
from flowdesk.web.parts import Choice, Empty, Field, Form, Kind, Link
from flowdesk.web.ticket import forms
from flowdesk.web.vocabulary import STATUSES, Words, say

PAGE = 50
DAYS = 14  # of a trend
OPENING = 120  # characters of how a ticket begins
SHOWN = 12  # merges to undo
ISSUE_STATUSES: Words = {
    "open": pgettext_lazy("issue", "open"),
    "known": pgettext_lazy("issue", "known"),
    "fixed": pgettext_lazy("issue", "fixed"),
    "closed": pgettext_lazy("issue", "closed"),
}
BECAUSE: Words = {
    "by_hand": gettext_lazy("by hand"),
    "by_rule": gettext_lazy("by the rule"),
    "clean_up": gettext_lazy("cleaned up"),
}


def issues_page(request: AgentRequest, *, now: datetime) -> IssuesPage:
    """The page that the address asks for; what cannot be read asks for all."""
    asked = request.GET.get("status", "")
    status = [IssueStatus(asked)] if asked in IssueStatus.values else []
    rows = issues.issue_page(status=status, after=_place(request.GET.get("after", "")), limit=PAGE + 1)
    page, href = rows[:PAGE], reverse("issues")
    last = page[-1] if len(rows) > PAGE else None
    more = (
        {**({"status": asked} if status else {}), "after": f"{last.last_seen_at.isoformat()}~{last.id}"}
        if last
        else {}
    )
    everything = Link(words=_("All"), href=href, is_current=not status)
    narrowed = [
        Link(words=str(said), href=f"{href}?status={key}", is_current=key == asked)
        for key, said in ISSUE_STATUSES.items()
    ]
    return IssuesPage(
        rows=_rows(page, request, now=now),
        filters=(everything, *narrowed),
        duplicates_href=reverse("duplicates"),
        more_href=f"{href}?{urlencode(more)}" if more else "",
        empty=None
        if page
        else Empty(
            title=_("Nothing recurs"),
            words=_("When several tickets alike come in within days, they are listed here as one issue."),
        ),
    )


def _place(text: str) -> tuple[datetime, int] | None:
    at, _tilde, row = text.partition("~")
    try:
        place = datetime.fromisoformat(at), int(row)
    except ValueError:
        return None
    return place if place[0].tzinfo is not None and 0 < place[1] < 2**63 else None


def _rows(found: Sequence[Issue], request: AgentRequest, *, now: datetime) -> tuple[IssueRow, ...]:
    today = now.astimezone(request.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=DAYS - 1)
    counts = issues.seen_by_day([one.id for one in found], since=since, days=DAYS)
    openings = first_words_of([one.representative_id for one in found], longest=OPENING)
    return tuple(
        _row(one, counts[one.id], openings.get(one.representative_id, ""), request, now=now) for one in found
    )


def _row(
    issue: Issue, counts: Sequence[int], opening: str, request: AgentRequest, *, now: datetime
) -> IssueRow:
    total, first = sum(counts), issue.first_seen_at  # type: ignore[attr-defined]
    said = ngettext("{n} ticket in the last {days} days", "{n} tickets in the last {days} days", total)
    return IssueRow(
        title=issue.title,
        opening=" ".join(opening.split()),
        href=reverse("issue", args=[shown(issues.PREFIX, issue.public_id)]),
        status=say(ISSUE_STATUSES, issue.status),
        tickets=issue.tickets,  # type: ignore[attr-defined]
        first_at=words.iso(first, request.zone),
        first_when=words.moment(first, zone=request.zone, now=now),
        last_at=words.iso(issue.last_seen_at, request.zone),
        last_when=words.moment(issue.last_seen_at, zone=request.zone, now=now),
        trend=Spark(
            words=said.format(n=total, days=len(counts)), values=tuple(float(one) for one in counts), goal=0.0
        ),
    )


def one_issue(
    request: AgentRequest, issue_id: str, *, now: datetime, errors: dict[str, list[str]] | None = None
) -> IssuePage:
    """One issue; raises NotFound."""
    issue = issues.issue_by(issue_id)
    may_work = request.actor.may(Act.WORK)
    (row,) = _rows([issue], request, now=now)
    deed = reverse("issue-act", args=[issue_id])
    tickets = [
        _line(one, request, now=now, take_out=deed if may_work else "") for one in issues.tickets_of(issue.id)
    ]
    change, add = _change_form(issue, deed), _add_form(deed)
    if errors:
        given = request.POST.dict()
        change = change.answered(given, errors) if given.get("act") == "change" else change
        add = add.answered(given, errors) if given.get("act") == "add" else add
    seen = ngettext("{n} ticket, from {first} to {last}", "{n} tickets, from {first} to {last}", row.tickets)
    return IssuePage(
        row=row,
        seen=seen.format(n=row.tickets, first=row.first_when, last=row.last_when),
        back=Link(words=_("Recurring issues"), href=reverse("issues")),
        fix_note=issue.fix_note,
        tickets=tuple(tickets),
        change=change if may_work else None,
        add=add if may_work else None,
    )


def _change_form(issue: Issue, href: str) -> Form:
    return Form(
        id="change-issue",
        href=href,
        submit=_("Save"),
        hidden=(("act", "change"), ("seen", issue.version)),
        fields=(
            Field(name="title", label=_("What it is called"), value=issue.title, is_required=True, max_length=300),
            Field(
                name="status",
                label=_("Status"),
                kind=Kind.SELECT,
                choices=tuple(
                    Choice(value=key, words=str(said), is_chosen=key == issue.status)
                    for key, said in ISSUE_STATUSES.items()
                ),
            ),
            Field(name="fix_note", label=_("How it is fixed"), kind=Kind.LONG, value=issue.fix_note, max_length=20_000),
        ),
    )  # fmt: skip


def _add_form(href: str) -> Form:
    return Form(
        id="add-ticket",
        href=href,
        submit=_("Add"),
        hidden=(("act", "add"),),
        fields=(Field(name="number", label=_("Add a ticket by number"), is_required=True, max_length=24),),
    )


def _line(ticket: Ticket, request: AgentRequest, *, now: datetime, take_out: str = "") -> TicketLine:
    name = shown(TICKET, ticket.public_id)
    when = words.moment(ticket.created_at, zone=request.zone, now=now)
    return TicketLine(
        number=ticket.number,
        subject=ticket.subject,
        href=reverse("ticket", args=[name]),
        about=f"{ticket.customer.name}, {say(STATUSES, ticket.status)}, {when}",
        take_out=Form(
            id=f"take-out-{ticket.number}",
            href=take_out,
            submit=_("Take out"),
            hidden=(("act", "take_out"), ("ticket", name)),
        )
        if take_out
        else None,
    )


def duplicates_page(request: AgentRequest, *, now: datetime) -> DuplicatesPage:
    """What could be merged, the most alike first; and the latest merges."""
    found = doubles.doubles(now=now)
    may_work = request.actor.may(Act.WORK)
    return DuplicatesPage(
        href=reverse("duplicates"),
        back=Link(words=_("Recurring issues"), href=reverse("issues")),
        rows=tuple(_double(one, request, now=now) for one in found),
        merges=tuple(_merge(one, request, now=now, may_undo=may_work) for one in latest_merges(limit=SHOWN)),
        may_merge=may_work,
        empty=None
        if found
        else Empty(
            title=_("No duplicates"),
            words=_("Active tickets of one person that are alike are listed here, to be merged."),
        ),
    )


def _double(one: Double, request: AgentRequest, *, now: datetime) -> DoubleRow:
    said = _("Merge #{source} into #{target}")
    return DoubleRow(
        value=f"{shown(TICKET, one.source.public_id)} {shown(TICKET, one.target.public_id)}",
        words=said.format(source=one.source.number, target=one.target.number),
        source=_line(one.source, request, now=now),
        target=_line(one.target, request, now=now),
        likeness=words.percent(round(100 * one.score)),
    )


def _merge(line: MergeLine, request: AgentRequest, *, now: datetime, may_undo: bool) -> MergeRow:
    name = shown(TICKET, line.source.public_id)
    said = _("#{source} {subject} into #{target}")
    undo = forms.unmerge(
        reverse("ticket-act", args=[name, "unmerge"]), number=line.source.number, back=reverse("duplicates")
    )
    return MergeRow(
        words=said.format(source=line.source.number, subject=line.source.subject, target=line.target.number),
        href=reverse("ticket", args=[shown(TICKET, line.target.public_id)]),
        at=words.iso(line.merge.merged_at, request.zone),
        when=words.moment(line.merge.merged_at, zone=request.zone, now=now),
        who=line.merge.agent.name if line.merge.agent else _("Flowdesk"),
        why=say(BECAUSE, line.merge.because),
        undo=undo if may_undo else None,
    )
