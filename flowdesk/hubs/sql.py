"""What the hubs ask the database. Every statement names the tenant; row level security is the second wall.

They count facts in groups and leave every meaning to Python. What is active, decided or closed in the
window is read, never what is stored. Windows are open at the start and closed at `now`, so that what
happens at this instant is seen at this instant.
"""

# Where the active tickets stand, in a few groups: asked of a partial index on active tickets. The sweep may be a
# second late, so a deadline that has passed is a breach before it is recorded as one.
ACTIVE = """
select status, level, is_breached or coalesce(due_at <= %s, false), coalesce(at_risk_at <= %s, false),
    count(*), count(*) filter (where priority <= 2), count(*) filter (where assignee_id is null),
    count(*) filter (where waiting_internal_since is not null),
    count(*) filter (where first_response_at is null and not is_proactive),
    min(due_at), min(due_at) filter (where first_response_at is null and not is_proactive)
from tickets_ticket
where tenant_id = %s and status in ('new', 'open', 'pending', 'on_hold')
group by 1, 2, 3, 4
"""

# What nobody has taken: active tickets with an open escalation that are not counted as at risk already, and the
# first deadline. A lookup for each open escalation, which are few, in the index on active tickets.
UNTAKEN = """
select count(*) filter (where t.is_over or not t.is_late), min(untaken.due_at)
from (
    select ticket_id, min(due_at) as due_at from escalation_escalation
    where tenant_id = %s and state = 'open' group by ticket_id
) as untaken
cross join lateral (
    select is_breached or coalesce(due_at <= %s, false) as is_over, coalesce(at_risk_at <= %s, false) as is_late
    from tickets_ticket
    where tenant_id = %s and id = untaken.ticket_id and status in ('new', 'open', 'pending', 'on_hold')
    limit 1
) as t
"""

# Customer promises decided in stretches of equal length, counted from 1: met when stopped, missed when due.
DECIDED = """
select ceil(date_part('epoch', at - %s::timestamptz) / %s::float8)::int, count(*) filter (where met),
    count(*) filter (where not met)
from (
    select stopped_at as at, true as met from sla_clock
    where tenant_id = %s and outcome = 'met' and stopped_at > %s and stopped_at <= %s and metric = any(%s)
    union all
    select missed_at, false from sla_clock
    where tenant_id = %s and outcome = 'missed' and missed_at > %s and missed_at <= %s and metric = any(%s)
) as decided
group by 1
"""

# Tickets opened in the window and in the one before it (spam and tests were never work); escalations that
# fell due in the window, and those taken, or whose ticket ended, in time.
DUES = """
select created.now, created.before, enforced.fell_due, enforced.in_time
from (
    select count(*) filter (where created_at > %s) as now, count(*) filter (where created_at <= %s) as before
    from tickets_ticket
    where tenant_id = %s and created_at > %s and created_at <= %s and status <> 'void'
) as created, (
    select count(*) as fell_due, count(*) filter (
        where coalesce(acknowledged_at, case when state = 'closed' then ended_at end) <= due_at
    ) as in_time
    from escalation_escalation
    where tenant_id = %s and due_at > %s and due_at <= %s
) as enforced
"""

# Tickets closed in the window with what their clocks say of them.
_CLOSED = """
from tickets_ticket t
left join lateral (
    select count(*) filter (where c.missed_at is not null) as missed,
        max(date_part('epoch', c.spent) * 100 / date_part('epoch', c.target))
            filter (where c.metric = 'resolution' and c.target > interval '0') as spent_percent
    from sla_clock c
    where c.tenant_id = t.tenant_id and c.ticket_id = t.id and c.metric = any(%s)
        and c.outcome in ('met', 'missed')
) as clocks on true
where t.tenant_id = %s and t.resolved_at is not null and t.resolved_at > %s and t.resolved_at <= %s
    and t.status in ('resolved', 'closed')
"""

# In groups of those alike in what the risk estimates look at.
CLOSED = f"""
select t.status = 'resolved', least(t.reopen_count, %s), least(t.reply_count, %s), least(clocks.missed, %s),
    width_bucket(coalesce(clocks.spent_percent, 0)::float8, %s::float8[]), jsonb_exists_any(t.signals, %s),
    count(*)
{_CLOSED}
group by 1, 2, 3, 4, 5, 6
"""

# One by one, the newest first.
CLOSED_TICKETS = f"""
select t.public_id, t.number, t.subject, t.status = 'resolved', t.reopen_count, t.reply_count, clocks.missed,
    coalesce(clocks.spent_percent, 0)::int,
    (select count(*) from jsonb_array_elements_text(t.signals) as said(signal) where said.signal = any(%s))
{_CLOSED}
order by t.resolved_at desc, t.id desc limit %s
"""  # noqa: S608 - constants of this module

_LINE = """t.public_id, t.number, t.subject, t.priority, t.status, t.due_at, t.at_risk_at, t.is_breached,
    customer.name, agent.name"""
_NAMES = """
join people_customer customer on customer.tenant_id = t.tenant_id and customer.id = t.customer_id
left join people_agent agent on agent.tenant_id = t.tenant_id and agent.id = t.assignee_id"""

# The order of work: the longest overdue first, then what falls due next. Walks the index and stops.
WORK_ORDER = f"""
select {_LINE}, null from tickets_ticket t
{_NAMES}
where t.tenant_id = %s and t.status in ('new', 'open', 'pending', 'on_hold') and t.due_at is not null
order by t.due_at, t.id limit %s
"""  # noqa: S608 - constants of this module

# Breached tickets all of whose clocks wait: they have no deadline in their row, so their miss is looked up.
WAITING_BREACHED = f"""
select {_LINE}, missed.at from tickets_ticket t
{_NAMES}
left join lateral (
    select min(c.missed_at) as at from sla_clock c
    where c.tenant_id = t.tenant_id and c.ticket_id = t.id and c.state <> 'stopped' and c.metric = any(%s)
) as missed on true
where t.tenant_id = %s and t.status in ('new', 'open', 'pending', 'on_hold') and t.due_at is null
    and t.is_breached
order by missed.at, t.id limit %s
"""  # noqa: S608 - constants of this module
