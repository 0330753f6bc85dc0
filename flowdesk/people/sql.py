"""Hot statements of people: who writes, who is on duty, who is told. Every one names the tenant."""

# Who writes from an address, with the customer they write for; the address is asked for as its index keeps it.
WRITER_BY_ADDRESS = """
select {contact}, {customer} from people_contact as contact
join people_customer as customer on customer.tenant_id = contact.tenant_id and customer.id = contact.customer_id
where contact.tenant_id = %s and lower(contact.email) = lower(%s) and contact.email <> ''
"""

WRITER_BY_ID = """
select {contact}, {customer} from people_contact as contact
join people_customer as customer on customer.tenant_id = contact.tenant_id and customer.id = contact.customer_id
where contact.tenant_id = %s and contact.public_id = %s
"""

TEAMS = "select id, slug, name, level, lead_id from people_team where tenant_id = %s order by level, slug"

POSTS = """
select post.slug, post.name, post.holder_id, above.slug from people_post as post
left join people_post as above on above.tenant_id = post.tenant_id and above.id = post.falls_to_id
where post.tenant_id = %s order by post.slug
"""

# Agents who have not left: whether they are here, and who stands in for one who is out of office.
REACHABLE = """
select agent.id, agent.is_available and away.agent_id is null, away.substitute_id from people_agent as agent
left join lateral (
    select absence.agent_id, absence.substitute_id from people_absence as absence
    where absence.tenant_id = agent.tenant_id and absence.agent_id = agent.id
        and absence.starts_at <= %s and (absence.ends_at is null or absence.ends_at > %s)
    order by absence.starts_at desc, absence.id desc limit 1
) as away on true
where agent.tenant_id = %s and agent.left_at is null
"""

# Weekly shifts of those who have not left.
_ROSTER = """
select shift.agent_id, shift.weekdays, shift.starts, shift.ends, agent.zone, shift.kind, team.slug, shift.valid_from,
    shift.valid_until
from people_shift as shift
join people_agent as agent on agent.tenant_id = shift.tenant_id and agent.id = shift.agent_id
left join people_team as team on team.tenant_id = shift.tenant_id and team.id = shift.team_id
where shift.tenant_id = %s and agent.left_at is null {which} order by shift.id
"""
ROSTER = _ROSTER.format(which="")
ROSTER_OF = _ROSTER.format(which="and shift.agent_id = any(%s)")
