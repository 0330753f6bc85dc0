"""Hot statements of escalation."""

# Each step once: what the unique key knows already is not returned, so nobody is told twice.
INSERT_ESCALATIONS = """
insert into escalation_escalation (tenant_id, public_id, ticket_id, kind, rule, metric, cycle, step, target, reason,
    state, agent_id, team_id, fires_at, opened_at, due_at, trace)
select %s, t.public_id, t.ticket_id, t.kind, t.rule, t.metric, t.cycle, t.step, t.target, t.reason, t.state,
    t.agent_id, t.team_id, t.fires_at, %s, t.due_at, t.trace
from rows from (
    unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::int[], %s::smallint[], %s::text[],
        %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[]),
    jsonb_array_elements(%s)
) with ordinality as t(public_id, ticket_id, kind, rule, metric, cycle, step, target, reason, state, agent_id,
    team_id, fires_at, due_at, trace, position)
order by t.position
on conflict (tenant_id, ticket_id, rule, metric, cycle, step, target) do nothing
returning id, public_id
"""

CLIMBED = (
    "update escalation_escalation set state = 'climbed', ended_at = %s where tenant_id = %s and id = any(%s)"
)

# Open tasks of some tickets, for the sweep: when the next one climbs.
OPEN_ESCALATIONS = """
select id, ticket_id, rule, metric, cycle, step, target, reason, kind, team_id, due_at
from escalation_escalation where tenant_id = %s and ticket_id = any(%s) and state = 'open'
order by ticket_id, due_at, id
"""

# How many of the customer's tickets were escalated of late, counted to a hundred: routing asks about three (F-RTE-11).
RECENT_ESCALATIONS = """
select count(*) from (
    select from tickets_ticket
    where tenant_id = %s and customer_id = %s and escalated_at is not null and escalated_at > %s limit 100
) as escalated
"""
