import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models
from django.db.models.functions import Least

from flowdesk.core.walls import TenantWalls

ACTIVE = models.Q(('status__in', ['new', 'open', 'pending', 'on_hold']))
FACTS = "tenant_id, status, level, is_urgent, is_unassigned, is_waiting_for_us, is_unanswered, is_breached"
STANDS = """tenant_id, status, level, priority <= 2 as is_urgent, assignee_id is null as is_unassigned,
    waiting_internal_since is not null as is_waiting_for_us,
    first_response_at is null and not is_proactive as is_unanswered, is_breached"""
IS_ACTIVE = "status in ('new', 'open', 'pending', 'on_hold')"
BEFORE = f"select {STANDS}, -1 as tickets from stood where {IS_ACTIVE}"
AFTER = f"select {STANDS}, 1 as tickets from stands where {IS_ACTIVE}"


def keeper(name: str, event: str, changes: str, tables: str) -> str:
    """A trigger that writes what a statement has changed of the counts, however many tickets it touched."""
    return f"""
    create function {name}() returns trigger language plpgsql as $$
    begin
        insert into tickets_standing ({FACTS}, tickets)
        select {FACTS}, sum(tickets) from ({changes}) as changed group by {FACTS} having sum(tickets) <> 0;
        return null;
    end $$;
    create trigger {name} after {event} on tickets_ticket referencing {tables}
        for each statement execute function {name}();
    """


class Migration(migrations.Migration):
    """Counts of the active tickets that stand alike, kept as tickets change; indexes for what time changes; and what
    the promises of a resolved ticket came to."""

    dependencies = [
        ('accounts', '0001_first'),
        ('tickets', '0003_reading'),
    ]

    operations = [
        migrations.CreateModel(
            name='Standing',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('status', models.CharField(max_length=16)),
                ('level', models.SmallIntegerField()),
                ('is_urgent', models.BooleanField()),
                ('is_unassigned', models.BooleanField()),
                ('is_waiting_for_us', models.BooleanField()),
                ('is_unanswered', models.BooleanField()),
                ('is_breached', models.BooleanField()),
                ('tickets', models.IntegerField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'everywhere',
                'default_manager_name': 'objects',
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everywhere', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name='standing',
            index=models.Index(models.F('tenant'), name='tickets_standing_tenant'),
        ),
        TenantWalls(models=['Standing']),
        migrations.RunSQL(
            [
                # Folded every few seconds: without a vacuum now and then a read would walk over what is gone.
                "alter table tickets_standing"
                " set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)",
                keeper("tickets_keep_opened", "insert", AFTER, "new table as stands"),
                keeper(
                    "tickets_keep_changed", "update", f"{BEFORE} union all {AFTER}",
                    "old table as stood new table as stands",
                ),
                keeper("tickets_keep_gone", "delete", BEFORE, "old table as stood"),
                f"insert into tickets_standing ({FACTS}, tickets) select {FACTS}, sum(tickets)"
                f" from ({AFTER.replace('from stands', 'from tickets_ticket')}) as present group by {FACTS}",
            ],
            [
                f"drop trigger {name} on tickets_ticket; drop function {name}()"
                for name in ("tickets_keep_opened", "tickets_keep_changed", "tickets_keep_gone")
            ],
        ),
        migrations.RemoveIndex(model_name='ticket', name='tickets_ticket_standing'),
        migrations.RemoveIndex(model_name='ticket', name='tickets_ticket_due'),
        migrations.RemoveIndex(model_name='ticket', name='tickets_ticket_resolved'),
        migrations.AddField('ticket', 'missed_count', models.SmallIntegerField(default=0, db_default=0)),
        migrations.AddField('ticket', 'spent_percent', models.SmallIntegerField(default=0, db_default=0)),
        migrations.AddField('ticket', 'was_unhappy', models.BooleanField(default=False, db_default=False)),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('resolved_at'), condition=models.Q(('resolved_at__isnull', False)), include=('status', 'reopen_count', 'reply_count', 'missed_count', 'spent_percent', 'was_unhappy'), name='tickets_ticket_resolved'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('due_at'), models.F('id'), condition=ACTIVE, include=('is_breached', 'status'), name='tickets_ticket_due'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('due_at'), models.F('id'), condition=models.Q(('status__in', ['pending', 'on_hold'])), name='tickets_ticket_waiting'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), Least('at_risk_at', 'due_at'), condition=models.Q(('status__in', ['new', 'open', 'pending', 'on_hold']), ('is_breached', False)), include=('at_risk_at', 'due_at', 'status', 'priority', 'first_response_at', 'is_proactive'), name='tickets_ticket_late'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('due_at'), condition=models.Q(('first_response_at__isnull', True), ('is_proactive', False), ('status__in', ['new', 'open'])), name='tickets_ticket_unanswered'),
        ),
    ]
