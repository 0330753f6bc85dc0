"""What the worker measures of the whole deployment, over all tenants: asked as the worker role.

Each figure costs one step of a partial index, or a walk over at most CAP of its entries: the price follows what is
waiting, not what is stored.
"""

CAP = 10_000  # a figure that has reached it says "at least"

MEASURE = f"""
select
    (select min(wake_at) from tickets_ticket where wake_at is not null) as next_wake_at,
    (select count(*) from (select 1 from tickets_ticket where wake_at is not null and wake_at <= %(now)s
        limit {CAP}) as due) as tickets_due,
    (select count(*) from (select 1 from tickets_ticket where wake_failures > 0 limit {CAP}) as aside)
        as tickets_put_aside,
    (select count(*) from (select 1 from tickets_ticketevent where dispatched_at is null limit {CAP}) as new)
        as events_undispatched,
    (select count(*) from (select 1 from notifications_delivery where state = 'due' and due_at <= %(now)s
        limit {CAP}) as due) as deliveries_due,
    (select count(*) from (select 1 from notifications_delivery where state = 'due' and due_at > %(now)s
        limit {CAP}) as later) as deliveries_later,
    (select count(*) from (select 1 from accounts_auditentry where sealed_at is null limit {CAP}) as new)
        as audit_unsealed,
    (select count(*) from (select 1 from tickets_ticket
        where id > (select reached from triage_indexingprogress order by id limit 1) limit {CAP}) as new)
        as tickets_unindexed,
    (select count(*) from pg_stat_activity where datname = current_database()) as database_connections
"""  # noqa: S608 - a constant

# The queue: as large as the active tickets, so it is asked less often.
QUEUE = """
select count(*) from tickets_ticket
where assignee_id is null and status in ('new', 'open', 'pending', 'on_hold')
"""
