"""What several tickets are about: recurring issues, and duplicates to clean up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from flowdesk.api.auth import Client, client, needs
from flowdesk.api.pagination import DEFAULT, Cursor, Limit, Page, cursor_at, place_after
from flowdesk.api.reading import Body, Filters
from flowdesk.api.shapes import Out, Receipt
from flowdesk.api.versions import IF_MATCH, IF_NONE_MATCH, Versioned
from flowdesk.core.actor import Act
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.flows.merge import merge_each
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.services import PREFIX as TICKET
from flowdesk.tickets.states import Status
from flowdesk.triage import doubles, issues
from flowdesk.triage.issues import PREFIX
from flowdesk.triage.models import Issue, IssueStatus

router = Router(tags=["issues"])
MOST_MERGED = 50  # at once: their tickets are held for as long


class IssueOut(Versioned):
    """Several tickets about the same; `tickets` says how many, `first_seen_at` and `last_seen_at` when the first and
    the last of them came in."""

    id: str
    title: str
    status: IssueStatus
    fix_note: str
    tickets: int
    opened_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime


class TicketIn(Out):
    """A ticket among others."""

    id: str
    number: int
    subject: str
    status: Status
    created_at: datetime


class IssueDetail(IssueOut):
    """An issue with its latest tickets, the newest first."""

    members: list[TicketIn]


class IssueFilters(Filters):
    """Repeat `status` to ask for several."""

    status: list[IssueStatus] = []
    cursor: Cursor = ""
    limit: Limit = DEFAULT


class ChangeIssue(Body):
    """What is left out stays."""

    status: IssueStatus | None = None
    title: Annotated[str | None, Field(max_length=issues.LONGEST_TITLE)] = None
    fix_note: Annotated[str | None, Field(max_length=issues.LONGEST_NOTE)] = None


class DoubleFilters(Filters):
    least_score: Annotated[float, Field(ge=0, le=1, description="How alike two must be at the least.")] = (
        doubles.LISTED_FROM
    )
    within_days: Annotated[int, Field(ge=1, le=366, description="How old they may be at the most.")] = (
        doubles.WINDOW.days
    )


class DoubleOut(Out):
    """Two tickets of one person that could be one: `ticket` could be merged into `into`."""

    ticket: TicketIn
    into: TicketIn
    score: float


@router.get(
    "/issues", response=Page[IssueOut], auth=needs(Act.READ), operation_id="list_issues", summary="Issues"
)
def list_issues(request: HttpRequest, filters: Query[IssueFilters]) -> Page[IssueOut]:
    """Those seen last first. An issue opens by itself when several tickets alike have come in, as the policy says."""
    asking, name = client(request), f"{client(request).tenant}.issues"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = issues.issue_page(
            status=filters.status, after=(after[0], after[1]) if after else None, limit=filters.limit + 1
        )
        page = rows[: filters.limit]
        return Page[IssueOut](
            items=[IssueOut(**_values(row)) for row in page],
            next=cursor_at([page[-1].last_seen_at, page[-1].id], of=name) if len(rows) > len(page) else None,
        )


@router.get(
    "/issues/{issue_id}",
    response=IssueDetail,
    auth=needs(Act.READ),
    operation_id="read_issue",
    summary="Read an issue",
    openapi_extra=IF_NONE_MATCH,
)
def read_issue(request: HttpRequest, issue_id: str) -> IssueDetail:
    """The issue with its tickets."""
    return _detail(client(request), issue_id)


@router.patch(
    "/issues/{issue_id}",
    response=IssueDetail | Receipt,
    auth=needs(Act.WORK),
    operation_id="change_issue",
    summary="Change an issue",
    openapi_extra=IF_MATCH,
)
def change_issue(request: HttpRequest, issue_id: str, body: ChangeIssue) -> IssueDetail | Receipt:
    """What it is called, how it stands, how it is fixed. A closed one takes in no more tickets by itself."""
    asking = client(request)
    issues.change_issue(
        issue_id,
        status=body.status,
        title=body.title,
        fix_note=body.fix_note,
        by=asking.actor,
        now=asking.now,
        expected=asking.expected,
    )
    return _read_back(asking, issue_id)


@router.post(
    "/issues/{issue_id}/tickets/{ticket_id}",
    response=IssueDetail | Receipt,
    auth=needs(Act.WORK),
    operation_id="add_issue_ticket",
    summary="Put a ticket into an issue",
    openapi_extra=IF_MATCH,
)
def add_issue_ticket(request: HttpRequest, issue_id: str, ticket_id: str) -> IssueDetail | Receipt:
    """It leaves the issue it was in, if any."""
    asking = client(request)
    issues.add_ticket(issue_id, ticket_id, by=asking.actor, now=asking.now, expected=asking.expected)
    return _read_back(asking, issue_id)


@router.delete(
    "/issues/{issue_id}/tickets/{ticket_id}",
    response=IssueDetail | Receipt,
    auth=needs(Act.WORK),
    operation_id="remove_issue_ticket",
    summary="Take a ticket out of an issue",
    openapi_extra=IF_MATCH,
)
def remove_issue_ticket(request: HttpRequest, issue_id: str, ticket_id: str) -> IssueDetail | Receipt:
    """It does not come back by itself."""
    asking = client(request)
    issues.take_out(issue_id, ticket_id, by=asking.actor, now=asking.now, expected=asking.expected)
    return _read_back(asking, issue_id)


@router.get(
    "/duplicates",
    response=list[DoubleOut],
    auth=needs(Act.READ),
    operation_id="list_duplicates",
    summary="Duplicates",
)
def list_duplicates(request: HttpRequest, filters: Query[DoubleFilters]) -> list[DoubleOut]:
    """Active tickets of one person that are alike, the most alike first, at most a hundred. Nothing is merged by
    asking."""
    asking = client(request)
    with reading(asking.tenant):
        found = doubles.doubles(
            now=asking.now, least=filters.least_score, window=timedelta(days=filters.within_days)
        )
        return [
            DoubleOut(ticket=_ticket_in(one.source), into=_ticket_in(one.target), score=one.score)
            for one in found
        ]


class PairIn(Body):
    """One ticket to merge into another."""

    ticket: Annotated[str, Field(max_length=64)]
    into: Annotated[str, Field(max_length=64)]


class MergeDuplicates(Body):
    """Pairs as `GET /duplicates` lists them, those that are the same."""

    pairs: Annotated[list[PairIn], Field(min_length=1, max_length=MOST_MERGED)]


class PairAnswer(Out):
    """What came of a pair: `code` and `detail` say why it was refused, as a problem would."""

    ticket: str
    into: str
    is_merged: bool
    code: str
    detail: str


class MergedDuplicates(Out):
    """How many were merged, and an answer for each pair in the order they were sent."""

    merged: int
    pairs: list[PairAnswer]


@router.post(
    "/duplicates/merge",
    response=MergedDuplicates,
    auth=needs(Act.WORK),
    operation_id="merge_duplicates",
    summary="Merge duplicates",
)
def merge_duplicates(request: HttpRequest, body: MergeDuplicates) -> MergedDuplicates:
    """Each pair is merged by itself, in their order, and can be undone by itself: one that is refused changes nothing
    and holds up no other. Tickets of two customers are refused here: merge them one by one, and say so."""
    asking = client(request)
    answers = merge_each([(pair.ticket, pair.into) for pair in body.pairs], by=asking.actor, now=asking.now)
    return MergedDuplicates(
        merged=sum(not one.code for one in answers),
        pairs=[
            PairAnswer(
                ticket=one.source, into=one.target, is_merged=not one.code, code=one.code, detail=one.reason
            )
            for one in answers
        ],
    )


def _read_back(asking: Client, issue_id: str) -> IssueDetail | Receipt:
    return _detail(asking, issue_id) if asking.may_read else Receipt(id=issue_id)


def _detail(asking: Client, issue_id: str) -> IssueDetail:
    with reading(asking.tenant):
        issue = issues.issue_by(issue_id)
        return IssueDetail(**_values(issue), members=[_ticket_in(one) for one in issues.tickets_of(issue.id)])


def _values(issue: Issue) -> dict[str, Any]:
    names = (
        "version",
        "title",
        "status",
        "fix_note",
        "tickets",
        "opened_at",
        "first_seen_at",
        "last_seen_at",
    )
    return {"id": shown(PREFIX, issue.public_id), **{name: getattr(issue, name) for name in names}}


def _ticket_in(ticket: Ticket) -> TicketIn:
    return TicketIn(
        id=shown(TICKET, ticket.public_id),
        number=ticket.number,
        subject=ticket.subject,
        status=Status(ticket.status),
        created_at=ticket.created_at,
    )
