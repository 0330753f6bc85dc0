"""Hot statements of routing. Every one names the tenant; row level security is the second wall."""

# A team's agents as they stand at an instant: what their active tickets weigh, by priority, whether they are out of
# office, and whether they stand in for the one whom the ticket is meant for: of absences that overlap the latest to
# begin says who does, as for escalations. The condition on the status is that of the index.
TEAM_AT_WORK = """
select agent.id, agent.is_available and not exists (
        select from people_absence as absence
        where absence.tenant_id = agent.tenant_id and absence.agent_id = agent.id
            and absence.starts_at <= %s and (absence.ends_at is null or absence.ends_at > %s)
    ) as is_here,
    agent.skills, agent.languages, agent.channels, agent.is_senior, agent.capacity, agent.last_assigned_at, (
        select coalesce(sum((%s::int[])[ticket.priority]), 0) from tickets_ticket as ticket
        where ticket.tenant_id = agent.tenant_id and ticket.assignee_id = agent.id
            and ticket.status in ('new', 'open', 'pending', 'on_hold')
    ) as load,
    coalesce(agent.id = (
        select absence.substitute_id from people_absence as absence
        where absence.tenant_id = agent.tenant_id and absence.agent_id = %s
            and absence.starts_at <= %s and (absence.ends_at is null or absence.ends_at > %s)
        order by absence.starts_at desc, absence.id desc limit 1
    ), false) as stands_in
from people_teammember as member
join people_agent as agent on agent.tenant_id = member.tenant_id and agent.id = member.agent_id
where member.tenant_id = %s and member.team_id = %s and agent.left_at is null order by agent.id
"""

# What the rules asked of the agents of tickets that are still in the team they were sent to: as the newest routing
# explanation says.
ASKED = """
select ticket.id, newest.trace ->> 'strategy', array(select jsonb_array_elements_text(newest.trace -> 'skills')),
    coalesce((newest.trace -> 'dedicated')::boolean, false), coalesce((newest.trace -> 'senior')::boolean, false)
from tickets_ticket as ticket
join people_team as team on team.tenant_id = ticket.tenant_id and team.id = ticket.team_id
cross join lateral (
    select trace from tickets_explanation as kept
    where kept.tenant_id = ticket.tenant_id and kept.ticket_id = ticket.id and kept.subject = 'routing'
    order by kept.id desc limit 1
) as newest
where ticket.tenant_id = %s and ticket.id = any(%s) and newest.trace ->> 'team' = team.slug
"""

_AT_HAND = """
select agent.id, held.tickets, held.weight{who} from people_agent as agent
cross join lateral (
    select count(*) as tickets, coalesce(sum((%s::int[])[ticket.priority]), 0) as weight
    from tickets_ticket as ticket
    where ticket.tenant_id = agent.tenant_id and ticket.assignee_id = agent.id
        and ticket.status in ('new', 'open', 'pending', 'on_hold')
) as held{away}
where agent.tenant_id = %s and agent.left_at is null order by agent.name, agent.id
"""
# What each agent has at hand: how many active tickets, and how much of their capacity these take.
LOADS = _AT_HAND.format(who="", away="")
# The same with who they are, whether they are out of office at an instant, and who stands in for them then.
CREW_AT_WORK = _AT_HAND.format(
    who=""", agent.public_id, agent.name, agent.capacity, agent.is_available, away.agent_id is not null, away.ends_at,
    stand_in.name""",
    away="""
left join lateral (
    select absence.agent_id, absence.ends_at, absence.substitute_id from people_absence as absence
    where absence.tenant_id = agent.tenant_id and absence.agent_id = agent.id
        and absence.starts_at <= %s and (absence.ends_at is null or absence.ends_at > %s)
    order by absence.starts_at desc, absence.id desc limit 1
) as away on true
left join people_agent as stand_in on stand_in.tenant_id = agent.tenant_id and stand_in.id = away.substitute_id""",
)

# Of those who could take a ticket, in that order, the first whom nobody is giving one now, and nobody has since they
# were looked at; theirs until the act ends. Every turn is an instant of its own, so that it tells.
HOLD_FREE = """
select agent.id from unnest(%s::bigint[], %s::timestamptz[]) with ordinality as able(id, turn, place)
join people_agent as agent on agent.tenant_id = %s and agent.id = able.id
    and agent.last_assigned_at is not distinct from able.turn
order by able.place limit 1 for no key update of agent skip locked
"""

# Waits until nobody gives the agent anything.
HOLD_AGENT = "select id from people_agent where tenant_id = %s and id = %s for no key update"

# Agents are locked last and in one order, whoever else gives them something.
NOTE_TURNS = """
with held as (
    select id from people_agent where tenant_id = %s and id = any(%s) order by id for no key update
)
update people_agent as agent set last_assigned_at = greatest(%s, agent.last_assigned_at + interval '1 microsecond')
from held where agent.tenant_id = %s and agent.id = held.id
"""

# One hands the queue of a tenant out at a time.
TRY_DRAIN = "select pg_try_advisory_xact_lock(hashtext('flowdesk.drain'), hashtext(%s::text))"

# What the agents of a team have, by their index: the condition on the status is its own.
HELD = """
select ticket.id, ticket.assignee_id, ticket.priority, ticket.language, ticket.due_at, ticket.reply_count > 0,
    customer.dedicated_agent_id = ticket.assignee_id
from people_teammember as member
join tickets_ticket as ticket on ticket.tenant_id = member.tenant_id and ticket.assignee_id = member.agent_id
    and ticket.status in ('new', 'open', 'pending', 'on_hold') and ticket.team_id = member.team_id
join people_customer as customer on customer.tenant_id = ticket.tenant_id and customer.id = ticket.customer_id
where member.tenant_id = %s and member.team_id = %s and ticket.status = any(%s)
order by ticket.due_at nulls last, ticket.id limit %s
"""

INSERT_MOVES = """
insert into routing_move (tenant_id, bulk_id, ticket_id, team_before_id, agent_before_id, team_id, agent_id, reason)
select %s, %s, t.ticket_id, t.team_before, t.agent_before, t.team_id, t.agent_id, t.reason
from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])
    as t(ticket_id, team_before, agent_before, team_id, agent_id, reason)
"""

# What was taken back to its queue lately, and has not changed hands since.
TAKEN_BACK = """
select move.ticket_id from routing_bulk as bulk
join routing_move as move on move.tenant_id = bulk.tenant_id and move.bulk_id = bulk.id and move.agent_id is null
cross join lateral (
    select event.data ->> 'because' as because from tickets_ticketevent as event
    where event.tenant_id = move.tenant_id and event.ticket_id = move.ticket_id
        and event.kind in ('ticket_assigned', 'ticket_unassigned', 'ticket_routed')
    order by event.id desc limit 1
) as latest
where bulk.tenant_id = %s and bulk.kind = 'undone' and bulk.at > %s and latest.because = 'undone'
"""
