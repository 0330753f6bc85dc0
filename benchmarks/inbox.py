"""The inbox as a browser asks for it, on a large desk and a small one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from django.test import Client

from benchmarks.desk import Desk
from benchmarks.run import Row, Run, Side, alternate
from flowdesk.accounts.models import User
from flowdesk.accounts.sessions import begin
from flowdesk.core import time
from flowdesk.worker.demo.cast import LEAD_EMAIL

TIMES = 5
PAGE = 50  # rows that the page shows
PAGES = {
    "inbox": ("first page", ""),
    "inbox_updated": ("latest changes first", "?order=updated"),
    "inbox_breached": ("the lane of broken promises", "?lane=breached"),
    "inbox_unassigned": ("the lane nobody has", "?lane=unassigned"),
    "inbox_waiting": ("the lane that waits", "?lane=waiting"),
}


# A page of the small desk must be as full as one of the large: a list of ten rows says nothing of one of fifty.
UNASSIGN = """
update tickets_ticket set assignee_id = null where tenant_id = %s and id in (
    select id from tickets_ticket
    where tenant_id = %s and status in ('new', 'open') and assignee_id is not null order by due_at, id limit %s
)
"""


def bars(run: Run) -> Sequence[Row]:
    small, large = run.desk("small"), run.desk("large")
    with psycopg.connect(small.admin, autocommit=True) as admin:
        admin.execute(UNASSIGN, [small.tenant, small.tenant, 2 * PAGE])
        admin.execute("vacuum (analyze) tickets_ticket")
    browsers = {desk.dsns.app: desk.run(browser, desk) for desk in (small, large)}
    return [
        compared(run, name, words, address, large=large, small=small, browsers=browsers)
        for name, (words, address) in PAGES.items()
    ]


def compared(
    run: Run, name: str, words: str, address: str, *, large: Desk, small: Desk, browsers: Mapping[str, Client]
) -> Row:
    def side(desk: Desk) -> Side:
        return Side(call=lambda: look(browsers[desk.dsns.app], desk, address), desk=desk, times=TIMES)

    timed = alternate(
        {f"{large.tickets:,} tickets": side(large), f"{small.tickets:,} tickets": side(small)},
        rounds=run.rounds,
    )
    much, little = timed.values()
    return Row(
        name=name,
        what=f"Inbox, {words}, {large.tickets:,} tickets against {small.tickets:,}",
        measured=much.wall / little.wall,
        bar=1.5,
        goal=1.1,
        sides=timed,
    )


def browser(desk: Desk) -> Client:
    """The desk's lead, logged in."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email=LEAD_EMAIL))
    session = client.session
    begin(session, address="127.0.0.1", device="", is_remembered=True, now=desk.now)
    session.save()
    return client


def look(client: Client, desk: Desk, address: str) -> None:
    """The whole page, as the server makes it at the instant up to which the desk has lived."""
    with time.at(desk.now):
        response = client.get(f"/flow/inbox{address}")
    assert response.status_code == 200, response.status_code
