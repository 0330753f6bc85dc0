"""Hot or concurrent statements of accounts."""

# Counts in one statement, so that processes never read the same number; a window that has ended begins anew.
COUNT_ATTEMPT = """
insert into accounts_throttle as held (bucket, count, ends_at) values (%(bucket)s, 1, %(ends_at)s)
on conflict (bucket) do update set
    count = case when held.ends_at <= %(now)s then 1 else held.count + 1 end,
    ends_at = case when held.ends_at <= %(now)s then excluded.ends_at else held.ends_at end
returning count, ends_at
"""

FORGET_ATTEMPTS = "delete from accounts_throttle where bucket = any(%s)"

TAKE_BACK_ATTEMPT = "update accounts_throttle set count = count - 1 where bucket = any(%s) and count > 0"

SWEEP_ATTEMPTS = "delete from accounts_throttle where ends_at <= %s"

# One statement, whether there is such a person or not: how long it takes tells nobody who has an account.
# A demo's people keep the password that is printed for everybody.
ASK_FOR_LINK = """
insert into accounts_letter (user_id, kind, created_at, due_at, attempts)
select id, 'reset', %(now)s, %(now)s, 0 from accounts_user
where lower(email) = lower(%(email)s) and is_active
and exists (select from accounts_membership m where m.user_id = accounts_user.id and m.disabled_at is null)
and not exists (
    select from accounts_membership m join accounts_tenant t on t.id = m.tenant_id
    where m.user_id = accounts_user.id and t.is_demo
)
"""

# Whose key this is: asked before a tenant is known, by a digest that is unique.
KEY_BY_DIGEST = "select {columns} from accounts_apikey as key where key.digest = %s"
