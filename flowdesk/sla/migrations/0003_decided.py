from django.db import migrations, models

CUSTOMERS = ('metric__in', ['callback', 'communication', 'first_response', 'next_response', 'resolution', 'update'])
# What resolving a ticket writes from now on, for those that were resolved before.
VERDICTS = """
update tickets_ticket as t set missed_count = verdict.missed, spent_percent = least(verdict.spent_percent, 32767),
    was_unhappy = jsonb_exists_any(
        t.signals, '{churn_risk,executive,frustration,legal_threat,public_complaint}'::text[]
    )
from (
    select tenant_id, ticket_id, count(*) filter (where missed_at is not null) as missed,
        coalesce(floor(max(extract(epoch from spent) * 100 / extract(epoch from target))
            filter (where metric = 'resolution' and target > interval '0')), 0) as spent_percent
    from sla_clock
    where outcome in ('met', 'missed')
        and metric in ('callback', 'communication', 'first_response', 'next_response', 'resolution', 'update')
    group by tenant_id, ticket_id
) as verdict
where t.tenant_id = verdict.tenant_id and t.id = verdict.ticket_id and t.resolved_at is not null
    and (verdict.missed > 0 or verdict.spent_percent > 0 or t.signals <> '[]')
"""


class Migration(migrations.Migration):
    """Promises to customers that were decided in a window are counted in an index of nothing else; what those of a
    resolved ticket came to stands on the ticket."""

    dependencies = [('sla', '0002_reading'), ('tickets', '0004_standing')]

    operations = [
        migrations.RunSQL(VERDICTS, migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name='clock', name='sla_clock_met'),
        migrations.RemoveIndex(model_name='clock', name='sla_clock_decided'),
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(models.F('tenant'), models.F('stopped_at'), condition=models.Q(('outcome', 'met'), CUSTOMERS), name='sla_clock_met'),
        ),
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(models.F('tenant'), models.F('missed_at'), condition=models.Q(('outcome', 'missed'), CUSTOMERS), name='sla_clock_decided'),
        ),
    ]
