"""Hot statements of routing. Every one names the tenant; row level security is the second wall."""

# A team's agents as they stand, with their active tickets counted. The condition on the status is the index's own.
TEAM_AT_WORK = """
select agent.id, agent.is_available, agent.skills, agent.languages, agent.is_senior, agent.capacity,
    agent.last_assigned_at, (
        select count(*) from tickets_ticket as ticket
        where ticket.tenant_id = agent.tenant_id and ticket.assignee_id = agent.id
            and ticket.status in ('new', 'open', 'pending', 'on_hold')
    ) as load
from people_teammember as member
join people_agent as agent on agent.tenant_id = member.tenant_id and agent.id = member.agent_id
where member.tenant_id = %s and member.team_id = %s and agent.left_at is null order by agent.id
"""

NOTE_TURNS = "update people_agent set last_assigned_at = %s where tenant_id = %s and id = any(%s)"
