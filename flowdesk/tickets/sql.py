"""Hot statements of the heart. Every one names the tenant; row level security is the second wall."""

NEW_TICKET_ID = "select nextval('tickets_ticket_id_seq')"

NEW_TICKET_COLUMNS = (
    "tenant_id", "id", "public_id", "external_ref", "subject", "status", "priority", "impact", "urgency",
    "category", "subcategory", "complexity", "language", "channel", "signals", "fields", "is_major_incident",
    "is_proactive", "customer_id", "contact_id", "team_id", "assignee_id", "level", "follows_id",
    "policy_revision_id", "rule_target_minutes", "rule_target_loosens", "created_at", "updated_at",
    "unanswered_since", "waiting_internal_since", "level_entered_at", "first_response_at", "resolved_at",
    "closed_at", "reopen_count", "reply_count", "missed_count", "spent_percent", "was_unhappy", "due_at",
    "at_risk_at", "is_breached", "wake_at", "wake_failures", "escalated_at",
    "sentiment", "confidence", "needs_review",
)  # fmt: skip

# The last statement before commit: takes the number and writes the row, so that the counter is locked briefly.
# The rows that point at the ticket are in already; their keys are checked at commit.
INSERT_TICKET = f"""
with numbered as (
    update tickets_ticketcounter set next_number = next_number + 1 where tenant_id = %s
    returning next_number - 1 as number
)
insert into tickets_ticket ({", ".join(NEW_TICKET_COLUMNS)}, number)
select {", ".join(["%s"] * len(NEW_TICKET_COLUMNS))}, number from numbered returning number
"""  # noqa: S608 - a constant of column names

# One lock per app: a ticket is locked before anything of it.
LOCK_TICKET = "select {columns} from tickets_ticket where tenant_id = %s and public_id = %s for no key update"

# A row of merges from the ticket that is asked for to the one that stands for it, each looked up by its key: every
# message asks.
_WAY = """
with recursive way as (
    select id, public_id, merged_into_id, contact_id, updated_at, 0 as step from tickets_ticket
    where tenant_id = %(tenant)s and public_id = %(ticket)s
    union all
    select next.id, next.public_id, next.merged_into_id, way.contact_id, way.updated_at, way.step + 1
    from way cross join lateral (
        select id, public_id, merged_into_id from tickets_ticket
        where tenant_id = %(tenant)s and id = way.merged_into_id limit 1
    ) as next
)"""

# The ticket at its end, locked, and no other: who holds one and waits for the next may meet somebody who comes the
# other way. Nothing where it was merged while we waited for it.
LOCK_STANDING_TICKET = f"""
select {{columns}} from tickets_ticket
where tenant_id = %(tenant)s and id = ({_WAY} select id from way order by step desc limit 1) and status <> 'merged'
for no key update
"""  # noqa: S608 - a constant of this module

# The ticket at its end, and how the first one stands.
LAST_OF_MERGES = f"""{_WAY}
select public_id, contact_id, updated_at from way order by step desc limit 1
"""  # noqa: S608 - a constant of this module

# What was merged into a ticket, and into those that were merged into it.
MERGED_INTO = """
with recursive merged as (
    select id from tickets_ticket where tenant_id = %(tenant)s and merged_into_id = %(ticket)s
    union all
    select next.id from merged join tickets_ticket next
        on next.tenant_id = %(tenant)s and next.merged_into_id = merged.id
)
select id from merged
"""

LOCK_TICKETS = (
    "select {columns} from tickets_ticket where tenant_id = %s and id = any(%s) order by id for no key update"
)

# Tickets of a customer whose promises may still run or be taken up again, in the order in which they are locked.
LOCK_TICKETS_OF = """
select {columns} from tickets_ticket
where tenant_id = %s and customer_id = %s and status in ('new', 'open', 'pending', 'on_hold', 'resolved')
order by id for no key update
"""

# Due tickets of one tenant among those the sweep found; one that somebody works on now is due next round.
CLAIM_TICKETS = """
select {columns} from tickets_ticket
where tenant_id = %s and id = any(%s) and wake_at <= %s order by id for no key update skip locked
"""

# The queue: teams' tickets that nobody has. The second condition on the status is the index's own.
QUEUE_LENGTHS = """
select team_id, count(*) from tickets_ticket
where tenant_id = %s and assignee_id is null and team_id is not null and status = any(%s)
    and status in ('new', 'open', 'pending', 'on_hold')
group by team_id
"""

# The head of the queue of some teams, the oldest deadline first. Each language of a team has a queue of its own:
# many tickets in one that nobody on shift speaks must not hide those that somebody could take.
QUEUE_HEADS = """
select id, team_id, language from (
    select id, team_id, language, due_at,
        row_number() over (partition by team_id, language order by due_at nulls last, id) as place
    from tickets_ticket
    where tenant_id = %s and team_id = any(%s) and assignee_id is null and status = any(%s)
        and status in ('new', 'open', 'pending', 'on_hold') and id <> all(%s)
) as queue
where place <= %s order by due_at nulls last, id
"""

# Those of the tickets that still wait in the queue and that nobody works on.
CLAIM_QUEUE = """
select {columns} from tickets_ticket
where tenant_id = %s and id = any(%s) and assignee_id is null and team_id is not null and status = any(%s)
order by due_at nulls last, id for no key update skip locked
"""

# Tasks for agents of a first level team; who works in another one is asked nothing.
OPEN_TASKS = """
insert into tickets_task (tenant_id, public_id, ticket_id, kind, agent_id, opened_at, due_at, outcome)
select %s, t.public_id, t.ticket_id, %s, t.agent_id, %s, t.due_at, ''
from unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[])
    as t(public_id, ticket_id, agent_id, team_id, due_at)
join people_team as team on team.tenant_id = %s and team.id = t.team_id and team.level = 1
returning ticket_id
"""

END_TASKS = """
update tickets_task as task set ended_at = %s, outcome = ended.outcome
from unnest(%s::bigint[], %s::text[]) as ended(ticket_id, outcome)
where task.tenant_id = %s and task.ticket_id = ended.ticket_id and task.ended_at is null
returning task.ticket_id
"""

# What the sweep looks for, over all tenants: asked as the worker role. A ticket that fails is asked for later and
# later, and never left out: its promises run on.
DUE_TICKETS = """
select tenant_id, id, wake_at from tickets_ticket
where wake_at is not null and wake_at <= %s order by wake_at limit %s
"""

# A ticket that could not be woken sleeps four times as long after each failure, from ten seconds up to an hour.
# One that another act has given a later instant since, or none, is left as that act wants it.
COUNT_FAILURE = """
update tickets_ticket set wake_failures = least(wake_failures + 1, 32767),
    wake_at = %s::timestamptz
        + least(interval '1 hour', interval '10 seconds' * power(4, least(wake_failures, 5)))
where tenant_id = %s and id = %s and wake_at <= %s
returning wake_failures
"""

OPEN_WAITS = """
select {columns} from tickets_wait
where tenant_id = %s and ticket_id = any(%s) and ended_at is null order by id
"""

# What a merge ended and its undoing begins again.
REOPEN_WAITS = "update tickets_wait set ended_at = null where tenant_id = %s and id = any(%s)"
REOPEN_TASKS = """
update tickets_task set ended_at = null, outcome = '' where tenant_id = %s and id = any(%s)
returning agent_id, due_at, kind
"""

INSERT_MESSAGE = """
insert into tickets_message
    (tenant_id, public_id, ticket_id, author_kind, contact_id, agent_id, channel, is_automatic, text, html, sent_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

INSERT_EVENTS = """
insert into tickets_ticketevent (tenant_id, ticket_id, kind, at, actor_kind, actor_id, dispatched_at, data)
select %s, t.ticket_id, t.kind, t.at, t.actor_kind, t.actor_id, t.dispatched_at, t.data
from rows from (
    unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[], %s::bigint[], %s::timestamptz[]),
    jsonb_array_elements(%s)
) with ordinality as t(ticket_id, kind, at, actor_kind, actor_id, dispatched_at, data, position)
order by t.position
"""

INSERT_NOTES = """
insert into tickets_note (tenant_id, public_id, ticket_id, kind, text, created_at, data)
select %s, t.public_id, t.ticket_id, t.kind, '', t.created_at, t.data
from rows from (
    unnest(%s::uuid[], %s::bigint[], %s::text[], %s::timestamptz[]), jsonb_array_elements(%s)
) with ordinality as t(public_id, ticket_id, kind, created_at, data, position)
order by t.position
"""

INSERT_EXPLANATIONS = """
insert into tickets_explanation (tenant_id, ticket_id, subject, at, trace)
select %s, %s, t.subject, %s, t.trace
from rows from (unnest(%s::text[]), jsonb_array_elements(%s)) with ordinality as t(subject, trace, position)
order by t.position
"""

# Locked tickets that one act or sweep changed in the same columns.
SAVE_TICKETS = """
update tickets_ticket as kept set {assignments}
from unnest(%s::bigint[], {arrays}) as changed(id, {columns})
where kept.tenant_id = %s and kept.id = changed.id
"""

# What is counted together, and how a ticket stands; the triggers on the tickets say the same (migration 0004).
STANDING = "status, level, is_urgent, is_unassigned, is_waiting_for_us, is_unanswered, is_breached"
_ACTIVE = "status in ('new', 'open', 'pending', 'on_hold')"

# The active tickets, counted by how they stand, without reading one; and those that time alone has brought at risk or
# over and that no act has recorded as breached. One statement, so that both are of one instant.
READ_ACTIVE = f"""
select false as is_late, {STANDING}, sum(tickets)::int, null::timestamptz from tickets_standing
where tenant_id = %(tenant)s group by {STANDING} having sum(tickets) <> 0
union all
select true, status, null, priority <= 2, null, null, first_response_at is null and not is_proactive,
    coalesce(due_at <= %(now)s, false), count(*)::int, min(due_at)
from tickets_ticket
where tenant_id = %(tenant)s and {_ACTIVE} and not is_breached and least(at_risk_at, due_at) <= %(now)s
group by 2, 4, 7, 8
"""  # noqa: S608 - constants of this module

# The next deadline of all, of those that wait for nobody, and of those that nobody has answered: three steps of
# indexes.
READ_NEXT_DUE = f"""
select
    (select min(due_at) from tickets_ticket
        where tenant_id = %(tenant)s and {_ACTIVE} and not is_breached and due_at > %(now)s),
    (select min(due_at) from tickets_ticket
        where tenant_id = %(tenant)s and {_ACTIVE} and status in ('new', 'open') and not is_breached
            and due_at > %(now)s),
    (select min(due_at) from tickets_ticket
        where tenant_id = %(tenant)s and status in ('new', 'open') and first_response_at is null and not is_proactive)
"""  # noqa: S608 - constants of this module

# The lanes of the work list in the order of `queries.LANES`: kept counts, and steps of indexes for what time changes.
READ_LANES = f"""
select stands.tickets,
    stands.breached + (select count(*) from tickets_ticket
        where tenant_id = %(tenant)s and {_ACTIVE} and not is_breached and least(at_risk_at, due_at) <= %(now)s
            and (due_at <= %(now)s) is true), -- "is true" keeps it out of the index of all that was ever over
    (select count(*) from tickets_ticket
        where tenant_id = %(tenant)s and {_ACTIVE} and due_at > %(now)s and due_at <= %(soon)s and not is_breached),
    (select count(*) from tickets_ticket where tenant_id = %(tenant)s and {_ACTIVE} and assignee_id = %(me)s),
    stands.unassigned, stands.waiting
from (
    select coalesce(sum(tickets), 0) as tickets,
        coalesce(sum(tickets) filter (where is_breached), 0) as breached,
        coalesce(sum(tickets) filter (where is_unassigned), 0) as unassigned,
        coalesce(sum(tickets) filter (where status not in ('new', 'open')), 0) as waiting
    from tickets_standing where tenant_id = %(tenant)s
) as stands
"""  # noqa: S608 - constants of this module

# One folds or recounts at a time: a recount waits, a fold is left to the next round.
LOCK_STANDING = "select pg_advisory_xact_lock(hashtext('flowdesk.standing'))"
TRY_STANDING = "select pg_try_advisory_xact_lock(hashtext('flowdesk.standing'))"

# The rows of a tenant that has many become one for each way to stand: seen together with what is deleted, or not at
# all. What others write meanwhile stays as it is.
FOLD_STANDING = f"""
with many as (
    select tenant_id from tickets_standing group by tenant_id having count(*) > %s
), gone as (
    delete from tickets_standing where tenant_id = any(array(select tenant_id from many))
    returning tenant_id, {STANDING}, tickets
)
insert into tickets_standing (tenant_id, {STANDING}, tickets)
select tenant_id, {STANDING}, sum(tickets) from gone group by tenant_id, {STANDING} having sum(tickets) <> 0
"""  # noqa: S608 - constants of this module

_COUNTED = f"""
    select tenant_id, status, level, priority <= 2 as is_urgent, assignee_id is null as is_unassigned,
        waiting_internal_since is not null as is_waiting_for_us,
        first_response_at is null and not is_proactive as is_unanswered, is_breached, count(*) as tickets
    from tickets_ticket where {_ACTIVE} group by 1, 2, 3, 4, 5, 6, 7, 8"""  # noqa: S608 - constants of this module

# Count anew, for a table that was filled without its triggers.
RECOUNT_STANDING = f"""
with gone as (delete from tickets_standing)
insert into tickets_standing (tenant_id, {STANDING}, tickets)
{_COUNTED}
"""  # noqa: S608 - constants of this module

# Tenants whose counts are not what their tickets say.
WRONGLY_COUNTED = f"""
select distinct tenant_id from (
    select tenant_id, {STANDING} from (
        select tenant_id, {STANDING}, tickets from tickets_standing
        union all
        select tenant_id, {STANDING}, -tickets from ({_COUNTED}) as counted
    ) as both_counts
    group by tenant_id, {STANDING} having sum(tickets) <> 0
) as wrong
order by tenant_id
"""  # noqa: S608 - constants of this module

# How many of the tenant's latest tickets hold which of some words in which of its own fields, and how many were looked
# at: what a word's search through all tickets would cost, which no index of values shortens behind row security.
HELD_WORDS = """
with latest as materialized (
    select fields from tickets_ticket where tenant_id = %(tenant)s order by created_at desc limit %(most)s
)
select asked.key, asked.word, (select count(*) from latest where fields ->> asked.key = asked.word),
    (select count(*) from latest)
from unnest(%(keys)s::text[], %(words)s::text[]) with ordinality as asked (key, word, place)
order by asked.place
"""

# What each of the tickets came in with, as far as it is looked into; no other message is read.
FIRST_WORDS = """
select ticket.id, first.words from tickets_ticket as ticket
cross join lateral (
    select left(message.text, %s) as words from tickets_message as message
    where message.tenant_id = ticket.tenant_id and message.ticket_id = ticket.id and message.author_kind = 'contact'
    order by message.sent_at, message.id limit 1
) as first
where ticket.tenant_id = %s and ticket.id = any(%s)
"""
