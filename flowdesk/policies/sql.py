"""Hot statements of policies. Every one names the tenant; row level security is the second wall."""

# Asked in every act; a process keeps what it has read of a revision.
CURRENT_REVISION = "select id from policies_policyrevision where tenant_id = %s and is_current"

# Which of some patterns any revision of the tenant holds; an end of a line is an end.
EVER_WRITTEN = """
select asked.pattern from unnest(%s::text[]) as asked (pattern)
where exists (
    select from policies_policyrevision as revision
    where revision.tenant_id = %s and revision.source ~ ('(?n)' || asked.pattern)
)
"""
