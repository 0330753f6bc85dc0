"""What the hubs ask the database. Every statement names the tenant; row level security is the second wall.

They count facts in groups and leave every meaning to Python. What is active, decided or closed in the
window is read, never what is stored. Windows are open at the start and closed at `now`, so that what
happens at this instant is seen at this instant.
"""

from flowdesk.engine.clock import CUSTOMER_METRICS

# Spelled out as in the partial indexes, which are found by it.
_CUSTOMERS = "metric in ({})".format(", ".join(f"'{metric.value}'" for metric in sorted(CUSTOMER_METRICS)))

# What nobody has taken: active tickets with an open escalation that are not counted as at risk already, and the
# first deadline. A lookup for each open escalation, which are few.
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

# Customer promises decided in stretches, open at the start and closed at the end: met when stopped, missed when due.
# Two counts of an index for each stretch cost a third of grouping the same clocks by their instant.
DECIDED = f"""
select
    (select count(*) from sla_clock where tenant_id = %(tenant)s and outcome = 'met' and {_CUSTOMERS}
        and stopped_at > stretch.starts and stopped_at <= stretch.ends),
    (select count(*) from sla_clock where tenant_id = %(tenant)s and outcome = 'missed' and {_CUSTOMERS}
        and missed_at > stretch.starts and missed_at <= stretch.ends)
from unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) with ordinality as stretch(starts, ends, place)
order by stretch.place
"""  # noqa: S608 - a constant of this module

# Tickets opened in the window and in the one before it (spam, tests and duplicates were never work); escalations and
# tasks that fell due in the window, and those taken or done, or whose ticket ended, in time. A task that went on to
# somebody else before its deadline never fell due.
DUES = """
select
    (select count(*) from tickets_ticket
        where tenant_id = %(tenant)s and created_at > %(since)s and created_at <= %(now)s
            and status not in ('merged', 'void')),
    (select count(*) from tickets_ticket
        where tenant_id = %(tenant)s and created_at > %(before)s and created_at <= %(since)s
            and status not in ('merged', 'void')),
    escalated.fell_due + asked.fell_due, escalated.in_time + asked.in_time
from (
    select count(*) as fell_due, count(*) filter (
        where coalesce(acknowledged_at, case when state = 'closed' then ended_at end) <= due_at
    ) as in_time
    from escalation_escalation
    where tenant_id = %(tenant)s and due_at > %(since)s and due_at <= %(now)s
) as escalated, (
    select count(*) as fell_due, count(*) filter (where ended_at <= due_at) as in_time
    from tickets_task
    where tenant_id = %(tenant)s and due_at > %(since)s and due_at <= %(now)s
        and (outcome <> 'handed_on' or ended_at > due_at)
) as asked
"""

# Tickets closed in the window, in groups of those alike in what the risk estimates look at.
CLOSED = """
select status = 'resolved', least(reopen_count, %s), least(reply_count, %s), least(missed_count, %s),
    width_bucket(spent_percent::int, %s::int[]), was_unhappy, count(*)
from tickets_ticket
where tenant_id = %s and resolved_at is not null and resolved_at > %s and resolved_at <= %s
    and status in ('resolved', 'closed')
group by 1, 2, 3, 4, 5, 6
"""

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
