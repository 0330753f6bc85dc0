"""Hot statements of the clocks. Every one names the tenant; row level security is the second wall."""

COLUMNS = (
    "id, ticket_id, metric, cycle, state, outcome, policy_revision_id, calendar, amount_minutes, unit, priority,"
    " target, started_at, since, spent, pauses, fired, due_at, at_risk_at, missed_at, stopped_at, wake_at"
)

# All clocks of some tickets, oldest first: the order in which cycles began.
LOAD_CLOCKS = f"""
select {COLUMNS} from sla_clock where tenant_id = %s and ticket_id = any(%s) order by ticket_id, id
"""  # noqa: S608 - a constant of column names

# What is staged of the clocks of tickets in bulk.
CLOCKS = "sla_clock"
STAGED = {CLOCKS: ("tenant_id", *(name for name in COLUMNS.split(", ") if name != "id"))}

# New clocks in one statement; the unique key (ticket, metric, cycle) refuses a doubled start.
INSERT_CLOCKS = """
insert into sla_clock (tenant_id, ticket_id, metric, cycle, state, outcome, policy_revision_id, calendar,
    amount_minutes, unit, priority, target, started_at, since, spent, pauses, fired, due_at, at_risk_at,
    missed_at, stopped_at, wake_at)
select %s, t.ticket_id, t.metric, t.cycle, t.state, t.outcome, t.revision, t.calendar, t.amount, t.unit, t.priority,
    t.target, t.started_at, t.since, t.spent, t.pauses::timestamptz[], t.fired::smallint[], t.due_at, t.at_risk_at,
    t.missed_at, t.stopped_at, t.wake_at
from unnest(%s::bigint[], %s::text[], %s::int[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::int[],
    %s::text[], %s::smallint[], %s::interval[], %s::timestamptz[], %s::timestamptz[], %s::interval[], %s::text[],
    %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
    with ordinality as t(ticket_id, metric, cycle, state, outcome, revision, calendar, amount, unit, priority, target,
    started_at, since, spent, pauses, fired, due_at, at_risk_at, missed_at, stopped_at, wake_at, position)
order by t.position
"""

# Clocks counted from another start than the one they were given: seldom any.
MOVE_CLOCKS = """
update sla_clock as c set started_at = t.started_at
from unnest(%s::bigint[], %s::timestamptz[]) as t(id, started_at)
where c.tenant_id = %s and c.id = t.id
"""

# Clocks that changed; the ticket's lock is held, so nobody else has touched them since they were read.
UPDATE_CLOCKS = """
update sla_clock as c set state = t.state, outcome = t.outcome, policy_revision_id = t.revision,
    calendar = t.calendar, amount_minutes = t.amount, unit = t.unit, priority = t.priority, target = t.target,
    since = t.since, spent = t.spent, pauses = t.pauses::timestamptz[], fired = t.fired::smallint[],
    due_at = t.due_at, at_risk_at = t.at_risk_at, missed_at = t.missed_at, stopped_at = t.stopped_at,
    wake_at = t.wake_at
from unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::int[], %s::text[], %s::smallint[],
    %s::interval[], %s::timestamptz[], %s::interval[], %s::text[], %s::text[], %s::timestamptz[],
    %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
    as t(id, state, outcome, revision, calendar, amount, unit, priority, target, since, spent, pauses, fired,
    due_at, at_risk_at, missed_at, stopped_at, wake_at)
where c.tenant_id = %s and c.id = t.id
"""
