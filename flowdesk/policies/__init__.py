"""The promises of a tenant, written down: calendars, tiers, SLA, ladders, triage, routing and lanes.

Law: one policy document per tenant, kept in immutable revisions. An edit makes a new revision; a clock,
a routing decision or an explanation names the revision it was made under, and the past is never read
again with today's words. Documents are YAML text, read into engine values; no rule lives here.
"""
