"""Statements of the audit chain. The sealer and the verifier ask as the worker, over all tenants."""

# What is sealed of an entry, in this order; jsonb has one spelling for one value, so its text may be hashed.
_CONTENT = """e.id, e.tenant_id, e.at, e.actor_kind, e.actor_id, e.act, e.thing, e.thing_id, e.before::text,
    e.after::text"""

# One sealer over all workers and hosts; whoever does not get it leaves the round to the other.
LOCK_CHAIN = "select pg_try_advisory_xact_lock(hashtext('flowdesk.seal_audit'))"

# Found by mark and not by id: an entry of a slow transaction is seen after younger ones were sealed.
UNSEALED = f"""
select {_CONTENT} from accounts_auditentry e where e.sealed_at is null order by e.id limit %s
"""  # noqa: S608 - a constant of column names

# The end of each tenant's chain, one step of the index for each.
HEADS = """
select t.id, s.number, s.digest from unnest(%s::bigint[]) as t(id)
cross join lateral (
    select number, digest from accounts_auditseal where tenant_id = t.id order by number desc limit 1
) as s
"""
INSERT_SEALS = """
insert into accounts_auditseal (tenant_id, entry_id, number, digest, sealed_at)
select t.tenant_id, t.entry_id, t.number, t.digest, %s
from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bytea[]) as t(tenant_id, entry_id, number, digest)
"""
MARK_SEALED = "update accounts_auditentry set sealed_at = %s where id = any(%s) and sealed_at is null"

# A stretch of one tenant's chain; an entry that is gone leaves nulls.
WALK_CHAIN = f"""
select s.number, s.digest, s.entry_id, {_CONTENT}
from accounts_auditseal s
left join accounts_auditentry e on e.tenant_id = s.tenant_id and e.id = s.entry_id
where s.tenant_id = %s and s.number > %s order by s.number limit %s
"""  # noqa: S608 - a constant of column names

# Entries that say they are sealed and are not: put in past the program.
MARKED_WITHOUT_SEAL = """
select e.id from accounts_auditentry e
where e.tenant_id = %s and e.sealed_at is not null and not exists (
    select from accounts_auditseal s where s.tenant_id = e.tenant_id and s.entry_id = e.id
)
order by e.id limit 1
"""
COUNT_UNSEALED = "select count(*) from accounts_auditentry where tenant_id = %s and sealed_at is null"

# The seals of some entries, each with the digest that stands before it.
SEALS_OF = f"""
select s.number, s.digest, s.entry_id, {_CONTENT}, p.digest
from accounts_auditseal s
join accounts_auditentry e on e.tenant_id = s.tenant_id and e.id = s.entry_id
left join accounts_auditseal p on p.tenant_id = s.tenant_id and p.number = s.number - 1
where s.tenant_id = %s and s.entry_id = any(%s)
"""  # noqa: S608 - a constant of column names

LAST_SEAL = """
select number, sealed_at from accounts_auditseal where tenant_id = %s order by number desc limit 1
"""
