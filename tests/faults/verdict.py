"""What must hold after the campaign, worked out from the rows and the mails by arithmetic of our own.

Targets run on a 24/7 calendar and no clock is paused, so a rung falls due at start + percent × target. The sweep,
the engine and its policies are not asked.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from flowdesk.core.ids import shown
from tests.faults.load import Acknowledged, Ledger
from tests.faults.post import Post

SETTLE_WITHIN = 60.0  # seconds; a dead sender's lease is the longest wait in it

# The standard pack's ladder: metric, percent, how many are told.
LADDER = (
    ("first_response", 50, 1), ("first_response", 75, 1), ("first_response", 90, 2), ("first_response", 100, 1),
    ("first_response", 125, 1), ("next_response", 75, 1), ("next_response", 100, 1), ("resolution", 50, 1),
    ("resolution", 75, 1), ("resolution", 90, 2), ("resolution", 100, 1), ("resolution", 125, 1),
)  # fmt: skip

# Rungs that fell due before the horizon, while the clock ran, and who was told of each.
RUNGS = """
with rung (metric, percent, targets) as (
    select * from unnest(%(metrics)s::text[], %(percents)s::int[], %(targets)s::int[])
),
due as (
    select c.tenant_id, c.ticket_id, c.metric, c.cycle, r.percent, r.targets, c.stopped_at,
        c.started_at + c.target * r.percent / 100 as at
    from sla_clock c join rung r on r.metric = c.metric where c.pauses = '{}'
)
select d.ticket_id, d.metric, d.cycle, d.percent from due d
left join escalation_escalation e on e.tenant_id = d.tenant_id and e.ticket_id = d.ticket_id
    and e.rule = 'ladder.' || d.metric and e.metric = d.metric and e.cycle = d.cycle and e.step = d.percent
    and e.reason = 'promise_spent'
where d.at <= %(horizon)s and (d.stopped_at is null or d.at < d.stopped_at)
group by d.ticket_id, d.metric, d.cycle, d.percent, d.targets having count(e.id) <> max(d.targets)
"""

# A task that nobody took climbs at its deadline; at the top of the house it stays open.
UNCLIMBED = """
select e.id from escalation_escalation e join tickets_ticket t on t.tenant_id = e.tenant_id and t.id = e.ticket_id
where e.state = 'open' and e.due_at <= %(horizon)s and t.status in ('new', 'open') and e.target <> 'vp'
"""

# The same step twice, whatever the unique key says: by rows, and by lines of the log.
DOUBLED_STEPS = """
select ticket_id, rule, metric, cycle, step, target from escalation_escalation
group by 1, 2, 3, 4, 5, 6 having count(*) > 1
"""
STEPS_NOT_LOGGED_ONCE = """
select e.id from escalation_escalation e left join tickets_ticketevent l on l.tenant_id = e.tenant_id
    and l.ticket_id = e.ticket_id and l.kind in ('step_fired', 'ticket_escalated')
    and (l.data->>'escalation')::bigint = e.id
group by e.id having count(l.id) <> 1
"""

# A later rung written before an earlier one of the same clock, or one fired before its instant.
OUT_OF_ORDER = """
select id from (
    select id, step, fires_at, opened_at,
        lag(step) over (partition by ticket_id, metric, cycle order by id) as step_before
    from escalation_escalation where reason = 'promise_spent'
) as rungs where step < step_before or fires_at > opened_at
"""

# What the log says of lateness is the time from the rule's instant to the act.
WRONG_LATENESS = """
select e.id from escalation_escalation e join tickets_ticketevent l on l.tenant_id = e.tenant_id
    and l.ticket_id = e.ticket_id and l.kind in ('step_fired', 'ticket_escalated')
    and (l.data->>'escalation')::bigint = e.id
where abs(extract(epoch from e.opened_at - e.fires_at) - (l.data->>'late_by_seconds')::numeric) > 0.01
"""
LATENESS = """
select extract(epoch from opened_at - fires_at)::float from escalation_escalation where reason = 'promise_spent'
"""

# Events that must tell somebody, and what is missing of their deliveries: the agent a step reached is told by
# notice and mail, and so is who gets a ticket; the customer is told that a ticket is in and what was answered.
UNTOLD = """
with wanted as (
    select e.id, e.tenant_id, 'agent:' || (e.data->>'agent') as recipient, channel, e.at
    from tickets_ticketevent e cross join (values ('email'), ('notice')) as way (channel)
    where e.kind in ('step_fired', 'ticket_escalated') and e.data->>'agent' is not null
    union all
    select e.id, e.tenant_id, 'agent:' || (e.data->>'assignee'), channel, e.at
    from tickets_ticketevent e cross join (values ('email'), ('notice')) as way (channel)
    where e.kind = 'ticket_assigned' and e.data->>'assignee' is not null
    union all
    select e.id, e.tenant_id, 'contact:' || t.contact_id, 'email', e.at
    from tickets_ticketevent e join tickets_ticket t on t.tenant_id = e.tenant_id and t.id = e.ticket_id
    where e.kind in ('ticket_opened', 'agent_replied')
)
select w.id, w.recipient, w.channel from wanted w left join notifications_delivery d on d.tenant_id = w.tenant_id
    and d.event_id = w.id and d.recipient = w.recipient and d.channel = w.channel
where w.at <= %(horizon)s and d.id is null
"""
UNDISPATCHED = "select id from tickets_ticketevent where dispatched_at is null and at <= %(horizon)s"
UNSENT = "select id, state from notifications_delivery where state <> 'sent' and created_at <= %(horizon)s"
NOTICES_MISSING = """
select d.id from notifications_delivery d left join notifications_notice n on n.tenant_id = d.tenant_id
    and n.delivery_id = d.id where d.channel = 'notice' and d.state = 'sent' group by d.id having count(n.id) <> 1
"""
MAILS = """
select d.id, t.public_id, d.state, d.created_at <= %(horizon)s as is_old from notifications_delivery d
join tickets_ticket t on t.tenant_id = d.tenant_id and t.id = d.ticket_id where d.channel = 'email'
"""
OVERDUE = "select id from tickets_ticket where wake_at <= %(horizon)s or wake_failures > 0"


@dataclass(kw_only=True)
class Verdict:
    """What was found wrong, each kind by name; all of them must be empty."""

    lost: list[str] = field(default_factory=list)  # acknowledged, and not in the database
    doubled_rows: list[str] = field(default_factory=list)  # one try, twice in the database
    doubled_steps: list[str] = field(default_factory=list)
    missed_steps: list[str] = field(default_factory=list)
    misordered_steps: list[str] = field(default_factory=list)
    wrong_lateness: list[str] = field(default_factory=list)
    lost_deliveries: list[str] = field(default_factory=list)
    foreign_mails: list[str] = field(default_factory=list)  # mails that no delivery stands for
    # Figures, not faults:
    steps: int = 0
    deliveries: int = 0
    mails: int = 0
    repeated_mails: int = 0  # the same Message-ID again, after a crash between hand-over and record
    made_unacknowledged: int = 0  # committed, but the answer was lost: what a client's retry must expect
    late_p50: float = 0.0  # seconds from a rung's instant to its firing
    late_p99: float = 0.0

    @property
    def faults(self) -> dict[str, list[str]]:
        """What is wrong; empty when all holds."""
        return {name: found for name, found in asdict(self).items() if isinstance(found, list) and found}


def overdue(admin: psycopg.Connection[Any], horizon: datetime) -> int:
    """How much of what was due at the horizon is still to be done."""
    with admin.cursor() as cursor:
        return sum(
            len(cursor.execute(statement, {"horizon": horizon}).fetchall())
            for statement in (OVERDUE, UNDISPATCHED, UNSENT)
        )


def judge(admin: psycopg.Connection[Any], ledger: Ledger, post: Post, *, horizon: datetime) -> Verdict:
    """Hold the database and the mail server against what was acknowledged and what fell due by `horizon`."""
    verdict = Verdict()
    arrived_before = Counter(post.arrived)
    with admin.cursor() as cursor:
        given = {
            "horizon": horizon,
            "metrics": [metric for metric, _, _ in LADDER],
            "percents": [percent for _, percent, _ in LADDER],
            "targets": [targets for _, _, targets in LADDER],
        }

        def found(statement: str) -> list[str]:
            return [str(row) for row in cursor.execute(statement, given).fetchall()]

        verdict.missed_steps = found(RUNGS) + found(OVERDUE) + found(UNCLIMBED)
        verdict.doubled_steps = found(DOUBLED_STEPS) + found(STEPS_NOT_LOGGED_ONCE)
        verdict.misordered_steps = found(OUT_OF_ORDER)
        verdict.wrong_lateness = found(WRONG_LATENESS)
        verdict.lost_deliveries = found(UNDISPATCHED) + found(UNTOLD) + found(UNSENT) + found(NOTICES_MISSING)
        late = sorted(row[0] for row in cursor.execute(LATENESS).fetchall())
        verdict.steps = len(late)
        verdict.late_p50, verdict.late_p99 = (_percentile(late, part) for part in (0.5, 0.99))
    _judge_words(admin, ledger, verdict)
    _judge_mails(admin, post, arrived_before, horizon, verdict)
    return verdict


def settled_verdict(dsn: str, ledger: Ledger, post: Post) -> Verdict:
    """The verdict once what is due by now has been done, or could have been."""
    horizon = datetime.now(UTC)
    with psycopg.connect(dsn, autocommit=True) as admin:
        ends_at = time.monotonic() + SETTLE_WITHIN
        while overdue(admin, horizon) and time.monotonic() < ends_at:
            time.sleep(0.5)
        return judge(admin, ledger, post, horizon=horizon)


def _judge_words(admin: psycopg.Connection[Any], ledger: Ledger, verdict: Verdict) -> None:
    """Every acknowledged marker is in the database once, under the id that was answered; none is there twice."""
    tickets = Counter[tuple[str, str]]()
    messages = Counter[tuple[str, str, str]]()
    for public_id, subject in admin.execute("select public_id, subject from tickets_ticket"):
        tickets[_marker(subject), shown("tkt", public_id)] += 1
    for message, ticket, text in admin.execute(
        "select m.public_id, t.public_id, m.text from tickets_message m"
        " join tickets_ticket t on t.tenant_id = m.tenant_id and t.id = m.ticket_id"
    ):
        messages[_marker(text), shown("tkt", ticket), shown("msg", message)] += 1
    by_marker = Counter[str]()
    for (marker, _, _), count in messages.items():
        by_marker[marker] += count
    opened_by_marker = Counter[str]()
    for (marker, _), count in tickets.items():
        opened_by_marker[marker] += count

    written = Counter((marker, ticket) for marker, ticket, _ in messages.elements())

    def is_kept(one: Acknowledged) -> bool:
        is_written = written[one.marker, one.ticket] == 1
        match one.kind:
            case "open":
                return is_written and tickets[one.marker, one.thing] == 1
            case "reply":
                return is_written and messages[one.marker, one.ticket, one.thing] == 1
            case _:
                return is_written

    verdict.lost = [str(one) for one in ledger.acknowledged if not is_kept(one)]
    verdict.doubled_rows = [
        marker for counts in (by_marker, opened_by_marker) for marker, count in counts.items() if count > 1
    ]
    known = {one.marker for one in ledger.acknowledged}
    verdict.made_unacknowledged = len(set(by_marker) - known)


def _judge_mails(
    admin: psycopg.Connection[Any],
    post: Post,
    arrived_before: Counter[str],
    horizon: datetime,
    verdict: Verdict,
) -> None:
    with admin.cursor(row_factory=namedtuple_row) as cursor:
        rows = cursor.execute(MAILS, {"horizon": horizon}).fetchall()
    ids = {f"<delivery-{row.id}.{row.public_id.hex}@": row for row in rows}
    arrived = {message_id.partition("@")[0] + "@" for message_id in post.arrived}
    verdict.lost_deliveries += [
        f"{start} was recorded as sent and never arrived"
        for start, row in ids.items()
        if row.state == "sent" and row.is_old and start not in arrived
    ]
    verdict.foreign_mails = [
        message_id for message_id in arrived_before if message_id.partition("@")[0] + "@" not in ids
    ]
    verdict.deliveries = len(rows)
    verdict.mails = post.arrived.total()
    verdict.repeated_mails = post.arrived.total() - len(post.arrived)


def _marker(words: str) -> str:
    """The try that words belong to: the last of them."""
    return words.split()[-1] if words.strip() else ""


def _percentile(values: list[float], part: float) -> float:
    return round(values[min(len(values) - 1, int(len(values) * part))], 3) if values else 0.0
