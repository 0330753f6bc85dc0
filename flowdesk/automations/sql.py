"""Statements of runs. Every one names the tenant; row level security is the second wall."""

# A run whose process was killed would block the next for ever. It gives its slot back: nobody has its answer.
ABANDON_RUNS = """
update automations_automationrun set ended_at = %s, slot = '',
    counts = jsonb_build_object('abandoned', true, 'slot', slot)
where tenant_id = %s and ended_at is null and started_at <= %s
"""

# A run that broke off has no answer to give again: its slot is free for the next try.
FAIL_RUN = """
update automations_automationrun set ended_at = %s, slot = '',
    counts = %s::jsonb || jsonb_build_object('failed', true, 'slot', slot)
where tenant_id = %s and id = %s and ended_at is null
"""

# One running at a time, and each slot once: what either unique key refuses gives no row.
START_RUN = """
insert into automations_automationrun (tenant_id, public_id, trigger, slot, user_id, started_at, counts)
values (%s, %s, %s, %s, %s, %s, '{}'::jsonb)
on conflict do nothing returning id, public_id
"""
