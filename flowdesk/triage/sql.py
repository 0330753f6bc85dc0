"""Statements on what tickets are found by. The tenant is a parameter of each that reads or writes holders of terms."""

# Tickets alike, best first by the rarity of what they share. Of each term only its latest holders are read, by
# the primary key and backwards, so the price is the same however many tickets hold it.
SIMILAR = """
with asked as (
    select * from unnest(%(terms)s::integer[], %(weights)s::real[]) as a (term, weight)
), found as (
    select holder.ticket_id, sum(asked.weight) as weight
    from asked cross join lateral (
        select ticket_id from triage_termholder
        where tenant_id = %(tenant)s and term = asked.term
        order by tenant_id desc, term desc, ticket_id desc
        limit %(holders)s
    ) as holder
    group by holder.ticket_id
    order by weight desc, holder.ticket_id desc
    limit %(candidates)s
)
select ticket.id, ticket.public_id, ticket.number, ticket.subject, ticket.status, ticket.created_at,
    digest.terms, digest.weights
from found
join triage_ticketdigest digest on digest.tenant_id = %(tenant)s and digest.ticket_id = found.ticket_id
join tickets_ticket ticket on ticket.tenant_id = %(tenant)s and ticket.id = found.ticket_id
where ticket.id <> %(ticket)s and ticket.created_at >= %(since)s
    and ticket.status not in ('merged', 'void')
"""

# What a ticket says first, for as many tickets as are named.
OPENINGS = """
select ticket.id, ticket.subject, left(first.text, %(longest)s)
from tickets_ticket ticket left join lateral (
    select text from tickets_message message
    where message.tenant_id = ticket.tenant_id and message.ticket_id = ticket.id
    order by message.sent_at, message.id limit 1
) as first on true
where ticket.tenant_id = %(tenant)s and ticket.id = any(%(tickets)s)
order by ticket.id
"""

# One worker indexes at a time; the others go on with something else.
TAKE_PROGRESS = """
select id, reached, seen, settled, looked_at from triage_indexingprogress order by id limit 1 for update skip locked
"""

NEXT = "select id, tenant_id from tickets_ticket where id > %s order by id limit %s"

# Tickets that came to light behind the mark: their act took longer than it took to pass them by.
PASSED_BY = """
select ticket.id, ticket.tenant_id from tickets_ticket ticket
where ticket.id > %(settled)s and ticket.id <= %(reached)s and not exists (
    select from triage_ticketdigest digest
    where digest.tenant_id = ticket.tenant_id and digest.ticket_id = ticket.id
)
order by ticket.id limit %(most)s
"""

KEEP_PROGRESS = """
update triage_indexingprogress
set reached = %(reached)s, seen = %(seen)s, settled = %(settled)s, looked_at = %(looked_at)s
where id = %(id)s
"""

# Answers which tickets are new: only these are counted, so that a batch done twice counts once.
INSERT_DIGESTS = """
insert into triage_ticketdigest (tenant_id, ticket_id, terms, weights, needs_look)
select %(tenant)s, row.ticket, row.terms, row.weights, coalesce(ticket.created_at > %(look_since)s, false)
from jsonb_to_recordset(%(digests)s) as row (ticket bigint, terms integer[], weights smallint[])
join tickets_ticket ticket on ticket.tenant_id = %(tenant)s and ticket.id = row.ticket
on conflict (tenant_id, ticket_id) do nothing
returning ticket_id
"""

INSERT_HOLDERS = """
insert into triage_termholder (tenant_id, term, ticket_id)
select %(tenant)s, held.term, held.ticket
from unnest(%(terms)s::integer[], %(tickets)s::bigint[]) as held (term, ticket)
on conflict do nothing
"""

LOCK_VOCABULARY = """
insert into triage_tenantvocabulary (tenant_id, tickets, counts) values (%(tenant)s, 0, '')
on conflict (tenant_id) do update set tickets = triage_tenantvocabulary.tickets
returning tickets, counts
"""

KEEP_VOCABULARY = """
update triage_tenantvocabulary set tickets = %(tickets)s, counts = %(counts)s where tenant_id = %(tenant)s
"""

READ_VOCABULARY = "select tickets, counts from triage_tenantvocabulary where tenant_id = %s"

# Tickets merged into another: what they are found by goes, what is kept of their words stays.
HIDE_TICKETS = """
delete from triage_termholder as holder using (
    select ticket_id, unnest(terms[:%(telling)s]) as term from triage_ticketdigest
    where tenant_id = %(tenant)s and ticket_id = any(%(tickets)s)
) as hidden
where holder.tenant_id = %(tenant)s and holder.term = hidden.term and holder.ticket_id = hidden.ticket_id
"""

# And back.
SHOW_TICKETS = """
insert into triage_termholder (tenant_id, term, ticket_id)
select tenant_id, unnest(terms[:%(telling)s]), ticket_id from triage_ticketdigest
where tenant_id = %(tenant)s and ticket_id = any(%(tickets)s)
on conflict do nothing
"""

DIGESTS = """
select ticket.id, ticket.subject, digest.terms, digest.weights
from triage_ticketdigest digest
join tickets_ticket ticket on ticket.tenant_id = digest.tenant_id and ticket.id = digest.ticket_id
where digest.tenant_id = %(tenant)s and digest.ticket_id = any(%(tickets)s)
"""

# New tickets that nobody has looked at, over all tenants: asked as the worker role.
TO_LOOK_AT = "select tenant_id, ticket_id from triage_ticketdigest where needs_look order by id limit %s"

# Answers whether it was this look: of two that look at the same ticket one goes on.
LOOKED_AT = """
update triage_ticketdigest set needs_look = false
where tenant_id = %s and ticket_id = %s and needs_look returning ticket_id
"""

# One at a time finds out what the tickets of a tenant are about: two would each open an issue for the same.
LOCK_ISSUES = "select pg_advisory_xact_lock(hashtext('flowdesk.issues'), hashtext(%s::text))"

# People with several active tickets of late, which could be one; the latest first.
SEVERAL_OF_ONE = """
select contact_id, array_agg(id order by id)
from (
    select id, contact_id from tickets_ticket
    where tenant_id = %(tenant)s and created_at >= %(since)s and contact_id is not null
        and status in ('new', 'open', 'pending', 'on_hold')
    order by created_at desc limit %(most)s
) as late
group by contact_id having count(*) > 1 order by max(id) desc
"""

# Asked of every ticket that comes in; a process keeps what it has read of a model.
MODELS_IN_USE = (
    "select id, target, version from triage_learnedmodel where tenant_id = %s and state = 'in_use'"
)

# What a model learns from: settled tickets with the words they came in with, the latest ones, oldest first.
EXAMPLES = """
select subject, text, label, resolved_at from (
    select ticket.subject, coalesce(first.text, '') as text, {label} as label, ticket.resolved_at, ticket.id
    from tickets_ticket as ticket
    left join people_team as team on team.tenant_id = ticket.tenant_id and team.id = ticket.team_id
    left join lateral (
        select left(message.text, %s) as text from tickets_message as message
        where message.tenant_id = ticket.tenant_id and message.ticket_id = ticket.id
            and message.author_kind = 'contact'
        order by message.sent_at, message.id limit 1
    ) as first on true
    where ticket.tenant_id = %s and ticket.resolved_at is not null and ticket.status in ('resolved', 'closed')
        and {label} <> ''
    order by ticket.resolved_at desc limit %s
) as latest
order by resolved_at, id
"""

# The words of the tickets that came in last.
LATEST_WORDS = """
select ticket.subject, coalesce(first.text, '') from tickets_ticket as ticket
left join lateral (
    select left(message.text, %s) as text from tickets_message as message
    where message.tenant_id = ticket.tenant_id and message.ticket_id = ticket.id
        and message.author_kind = 'contact'
    order by message.sent_at, message.id limit 1
) as first on true
where ticket.tenant_id = %s order by ticket.created_at desc limit %s
"""
