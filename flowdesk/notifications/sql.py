"""Hot statements of notifications; those of the dispatcher and the lease run as the worker, over all tenants."""

# Events nobody has been told about yet, with what is needed to say who should be.
_UNDISPATCHED = """
select e.id, e.tenant_id, e.ticket_id, e.kind, e.at, e.data, a.id as doer,
    t.assignee_id, t.contact_id, coalesce(c.email, '') <> '' as has_mail
from tickets_ticketevent e
join tickets_ticket t on t.tenant_id = e.tenant_id and t.id = e.ticket_id
left join people_contact c on c.tenant_id = t.tenant_id and c.id = t.contact_id
left join people_agent a on a.tenant_id = e.tenant_id and a.user_id = e.actor_id and e.actor_kind = 'user'
where e.dispatched_at is null {which}
for update of e skip locked
"""
UNDISPATCHED = _UNDISPATCHED.format(which="order by e.id limit %s")
UNDISPATCHED_AMONG = _UNDISPATCHED.format(which="and e.id = any(%s) order by e.id")

# The same by id and ticket alone, without a lock: to look for the one event that cannot be dispatched.
UNDISPATCHED_IDS = """
select id, tenant_id, ticket_id from tickets_ticketevent where dispatched_at is null order by id limit %s
"""

STAMP_EVENTS = """
update tickets_ticketevent set dispatched_at = %s where id = any(%s) and dispatched_at is null
"""

# Held until the end of the transaction by whoever tells customers of delays: another dispatcher that works at the
# same time on a later event of the same ticket must see the notice, and it is seen once it is committed.
LOCK_DELAY_NOTICES = "select pg_advisory_xact_lock(hashtext('flowdesk.dispatch'))"

# Unique (event, recipient, channel): a dispatcher that died between two statements tells nobody twice.
INSERT_DELIVERIES = """
insert into notifications_delivery
    (tenant_id, event_id, ticket_id, recipient, channel, agent_id, contact_id, template, data, state, attempts,
     due_at, created_at, error)
select t.tenant_id, t.event_id, t.ticket_id, t.recipient, t.channel, t.agent_id, t.contact_id, t.template, t.data,
    'due', 0, %s, %s, ''
from rows from (
    unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[]),
    jsonb_array_elements(%s)
) as t(tenant_id, event_id, ticket_id, recipient, channel, agent_id, contact_id, template, data)
on conflict (tenant_id, event_id, recipient, channel) do nothing
"""

# Tickets whose customer was told of a delay not long ago: one such notice in the policy's time.
TOLD_OF_DELAY = """
select distinct ticket_id from notifications_delivery
where tenant_id = %s and ticket_id = any(%s) and template = 'customer_delayed' and created_at > %s
"""

# A lease: whoever dies with it gives it back by letting it run out. The order is the order of falling due.
LEASE = """
update notifications_delivery as d set due_at = %s, attempts = attempts + 1
from (
    select id from notifications_delivery where state = 'due' and due_at <= %s order by due_at, id limit %s
    for update skip locked
) as due
where d.id = due.id
returning d.id, d.tenant_id, d.channel, d.attempts
"""

# What has failed meanwhile waits for a later try, beyond the end of any lease.
RENEW = """
update notifications_delivery set due_at = %s where id = any(%s) and state = 'due' and due_at <= %s
"""

DELIVERED = """
update notifications_delivery set state = 'sent', sent_at = %s, error = ''
where tenant_id = %s and id = any(%s) and state = 'due'
returning created_at
"""

NOT_DELIVERED = """
update notifications_delivery set state = %s, due_at = %s, error = %s where tenant_id = %s and id = %s and state = 'due'
"""

# Leased but not tried: due again at once, and the attempt is not counted.
GIVE_BACK = """
update notifications_delivery set due_at = %s, attempts = attempts - 1
where tenant_id = %s and id = any(%s) and state = 'due'
"""

# In-app notices of a batch, and their deliveries done, in one statement.
INSERT_NOTICES = """
with made as (
    insert into notifications_notice (tenant_id, agent_id, ticket_id, delivery_id, template, data, created_at)
    select d.tenant_id, d.agent_id, d.ticket_id, d.id, d.template, d.data, %s from notifications_delivery d
    where d.tenant_id = %s and d.id = any(%s) and d.state = 'due' and d.agent_id is not null
    on conflict (tenant_id, delivery_id) do nothing
)
update notifications_delivery set state = 'sent', sent_at = %s where tenant_id = %s and id = any(%s) and state = 'due'
returning created_at
"""
