"""Hot statements of policies. Every one names the tenant; row level security is the second wall."""

# Asked in every act; a process keeps what it has read of a revision.
CURRENT_REVISION = "select id from policies_policyrevision where tenant_id = %s and is_current"
