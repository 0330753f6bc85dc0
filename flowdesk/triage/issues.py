"""Recurring issues (N11): several tickets about the same, as one thing with a status and a note on how it is fixed.

The worker puts each new ticket where it belongs (`flows.issues`); people change, add and take out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, F, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import Fault, Invalid, NotFound
from flowdesk.core.ids import new_id, parsed
from flowdesk.core.tenant import act, current_tenant
from flowdesk.core.text import one_line
from flowdesk.core.versions import Expected, must_stand_at
from flowdesk.engine.likeness import ALIKE, CANDIDATES, Group, RecurringRule, join_groups
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.queries import ticket_by
from flowdesk.triage import sql
from flowdesk.triage.models import Issue, IssueMember, IssueStatus
from flowdesk.triage.similar import MOST_GROUPED, likeness_of_pairs, similar_tickets

PREFIX = "iss"
LONGEST_TITLE, LONGEST_NOTE = 300, 20_000
SHORTEST = timedelta(microseconds=1)  # what the database tells apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The issue a ticket is in now; `is_new` if it was opened for it."""

    issue: Issue
    is_new: bool


def place_ticket(ticket: Ticket, rule: RecurringRule, *, at: datetime) -> Placed | None:
    """Put a locked ticket into the issue of those alike, or open one if they are enough; None where it has none."""
    with connection.cursor() as cursor:
        cursor.execute(sql.LOCK_ISSUES, [current_tenant()])
    if IssueMember.objects.filter(ticket_id=ticket.id).exists():
        return None
    near = similar_tickets(ticket.id, now=at, limit=CANDIDATES, least=ALIKE)
    if not near:
        return None
    known, spoken_for = _issues_around([one.ticket for one in near])
    # What has come together of late may open an issue; one that is open takes what is like it, however old it is.
    late = [one for one in near if one.created_at >= at - rule.within][:MOST_GROUPED]
    alike = {one.ticket: one.score for one in late if one.ticket not in spoken_for}
    pairs = likeness_of_pairs([ticket.id, *known], now=at) if known else {}
    alike |= {one: pairs.get(frozenset({one, ticket.id}), 0.0) for one in known}
    akin = {pair for pair, score in pairs.items() if score >= ALIKE}
    groups = [group for group, _ in known.values()]
    _, group = join_groups(groups, ticket.id, alike=alike, akin=akin, threshold=ALIKE, least=rule.count)
    if group is None:
        return None
    if group.representative != ticket.id:
        issue = known[group.representative][1]
        _take_in(issue, [ticket.id], at=at)
        issue.last_seen_at = max(issue.last_seen_at, ticket.created_at)
        for one in known:
            if alike[one] >= ALIKE and {one, group.representative} in akin:
                _take_over(known[one][1], into=issue)
        _keep(issue, "last_seen_at", at=at)
        return Placed(issue=issue, is_new=False)
    created = {one.ticket: one.created_at for one in late}
    issue = Issue.objects.create(
        tenant_id=ticket.tenant_id,
        public_id=new_id(at),
        title=ticket.subject,
        representative_id=ticket.id,
        opened_at=at,
        last_seen_at=max([ticket.created_at, *(created[one] for one in group.others)]),
        updated_at=at,
    )
    _take_in(issue, group.members, at=at)
    return Placed(issue=issue, is_new=True)


def _issues_around(tickets: Sequence[int]) -> tuple[dict[int, tuple[Group, Issue]], set[int]]:
    """The issues that tickets are in, by who represents them; and the tickets that no issue may take any more."""
    rows = IssueMember.objects.filter(ticket_id__in=tickets).select_related("issue")
    known: dict[int, tuple[Group, Issue]] = {}
    closed: set[int] = set()
    members: dict[int, set[int]] = {}
    for row in rows:
        if row.is_out or row.issue.status == IssueStatus.CLOSED:
            closed.add(row.ticket_id)
            continue
        members.setdefault(row.issue_id, set()).add(row.ticket_id)
        others = tuple(sorted(members[row.issue_id] - {row.issue.representative_id}))
        group = Group(representative=row.issue.representative_id, others=others)
        known[row.issue.representative_id] = (group, row.issue)
    return known, closed


def _take_in(issue: Issue, tickets: Sequence[int], *, at: datetime) -> None:
    IssueMember.objects.bulk_create(
        IssueMember(tenant_id=issue.tenant_id, issue=issue, ticket_id=one, joined_at=at) for one in tickets
    )


def _take_over(issue: Issue, *, into: Issue) -> None:
    """One issue of what two were opened for; not where somebody has made something of the other."""
    held = Issue.objects.select_for_update().select_related("representative").filter(id=issue.id).first()
    if held is None or held.status != IssueStatus.OPEN or held.fix_note:
        return
    members = IssueMember.objects.filter(issue=held)
    if held.title != held.representative.subject or members.filter(is_out=True).exists():
        return
    members.update(issue=into)
    into.last_seen_at = max(into.last_seen_at, held.last_seen_at)
    held.delete()


def _keep(issue: Issue, *fields: str, at: datetime) -> None:
    # Each act has an instant of its own: it is the issue's version.
    issue.updated_at = max(at, issue.updated_at + SHORTEST)
    issue.save(update_fields=[*fields, "updated_at"])


# -- what people do with them


def _lock(public_id: str) -> Issue:
    found = Issue.objects.select_for_update().filter(public_id=parsed(PREFIX, public_id)).first()
    if found is None:
        raise NotFound
    return found


@act
def change_issue(
    issue_id: str,
    *,
    by: Actor,
    now: datetime,
    status: IssueStatus | None = None,
    title: str | None = None,
    fix_note: str | None = None,
    expected: Expected = None,
) -> Issue:
    """Say what it is called, how it stands and how it is fixed; None leaves a thing as it is. Raises Invalid."""
    by.must(Act.WORK)
    issue = _lock(issue_id)
    must_stand_at(issue.version, expected)
    faults = []
    if title is not None and not one_line(title).strip():
        faults.append(Fault("title", "must not be empty"))
    if title is not None and len(title) > LONGEST_TITLE:
        faults.append(Fault("title", f"is longer than {LONGEST_TITLE} characters"))
    if fix_note is not None and len(fix_note) > LONGEST_NOTE:
        faults.append(Fault("fix_note", f"is longer than {LONGEST_NOTE} characters"))
    for name, text in (("title", title), ("fix_note", fix_note)):
        if text is not None and "\x00" in text:
            faults.append(Fault(name, "holds a null character"))
    if faults:
        raise Invalid(*faults)
    issue.status = status or issue.status
    issue.title = one_line(title) if title is not None else issue.title
    issue.fix_note = fix_note.strip() if fix_note is not None else issue.fix_note
    _keep(issue, "status", "title", "fix_note", at=now)
    return issue


@act
def add_ticket(
    issue_id: str, ticket_id: str, *, by: Actor, now: datetime, expected: Expected = None
) -> Issue:
    """Put a ticket into an issue, out of the one it was in, if any. Raises NotFound."""
    by.must(Act.WORK)
    ticket = ticket_by(ticket_id)
    issue = _lock(issue_id)
    must_stand_at(issue.version, expected)
    member = IssueMember.objects.filter(ticket_id=ticket.id).first()
    if member is None:
        _take_in(issue, [ticket.id], at=now)
    elif member.issue_id != issue.id or member.is_out:
        member.issue, member.is_out, member.joined_at = issue, False, now
        member.save(update_fields=["issue", "is_out", "joined_at"])
    issue.last_seen_at = max(issue.last_seen_at, ticket.created_at)
    _keep(issue, "last_seen_at", at=now)
    return issue


@act
def take_out(issue_id: str, ticket_id: str, *, by: Actor, now: datetime, expected: Expected = None) -> Issue:
    """Take a ticket out of an issue; it does not come back by itself. Raises NotFound where it is not in it."""
    by.must(Act.WORK)
    ticket = ticket_by(ticket_id)
    issue = _lock(issue_id)
    must_stand_at(issue.version, expected)
    gone = IssueMember.objects.filter(issue_id=issue.id, ticket_id=ticket.id, is_out=False).update(
        is_out=True
    )
    if not gone:
        raise NotFound
    _keep(issue, at=now)
    return issue


# -- reads, inside an open scope


def issue_by(public_id: str) -> Issue:
    """The issue with how many tickets it has and when the first came in; raises NotFound."""
    found = _counted(Issue.objects.filter(public_id=parsed(PREFIX, public_id))).first()
    if found is None:
        raise NotFound
    return found


def issue_of(ticket: int) -> Issue | None:
    """The issue that a ticket is in."""
    row = IssueMember.objects.select_related("issue").filter(ticket_id=ticket, is_out=False).first()
    return row.issue if row else None


def issue_page(
    *, status: Sequence[IssueStatus] = (), after: tuple[datetime, int] | None = None, limit: int
) -> list[Issue]:
    """Issues with how many tickets each has (`tickets`) and when the first came in (`first_seen_at`), those seen last
    first."""
    rows = _counted(Issue.objects.all())
    if status:
        rows = rows.filter(status__in=[one.value for one in status])
    if after is not None:
        at, last = after
        rows = rows.filter(last_seen_at__lte=at).filter(Q(last_seen_at__lt=at) | Q(id__lt=last))
    return list(rows.order_by("-last_seen_at", "-id")[:limit])


def _counted(rows: QuerySet[Issue]) -> QuerySet[Issue]:
    mine = IssueMember.objects.filter(issue_id=OuterRef("pk"), is_out=False).values("issue_id")
    first = mine.annotate(first=Min("ticket__created_at")).values("first")
    return rows.annotate(
        tickets=Coalesce(Subquery(mine.annotate(count=Count("id")).values("count")), 0),
        first_seen_at=Coalesce(Subquery(first), F("opened_at")),
    )


def tickets_of(issue: int, *, limit: int = 200) -> list[Ticket]:
    """The tickets of an issue, the latest first."""
    ids = IssueMember.objects.filter(issue_id=issue, is_out=False).values("ticket_id")
    return list(Ticket.objects.select_related("customer").filter(id__in=ids).order_by("-id")[:limit])


def seen_by_day(issues: Sequence[int], *, since: datetime, days: int) -> Mapping[int, tuple[int, ...]]:
    """How many tickets of each issue came in on each of so many days from `since` on."""
    counts = {issue: [0] * days for issue in issues}
    rows = IssueMember.objects.filter(issue_id__in=list(issues), is_out=False, ticket__created_at__gte=since)
    for issue, at in rows.values_list("issue_id", "ticket__created_at"):
        day = (at - since) // timedelta(days=1)
        if 0 <= day < days:
            counts[issue][day] += 1
    return {issue: tuple(found) for issue, found in counts.items()}
