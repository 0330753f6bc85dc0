import django.db.models.deletion
import django.db.models.manager
import flowdesk.core.models
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):
    """A ticket that another stands for, and what brings it back."""

    dependencies = [
        ('accounts', '0005_proven'),
        ('people', '0003_absence'),
        ('policies', '0002_drafts'),
        ('tickets', '0007_understood'),
    ]

    operations = [
        migrations.CreateModel(
            name='Merge',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('because', models.CharField(choices=[('by_hand', 'by_hand'), ('by_rule', 'by_rule'), ('clean_up', 'clean_up')], max_length=16)),
                ('likeness_percent', models.SmallIntegerField(null=True)),
                ('merged_at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(null=True)),
                ('before', models.JSONField()),
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
        migrations.RemoveConstraint(
            model_name='ticket',
            name='tickets_ticket_status',
        ),
        migrations.AddField(
            model_name='ticket',
            name='merged_into',
            field=flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tickets.ticket'),
        ),
        migrations.AlterField(
            model_name='ticket',
            name='status',
            field=models.CharField(choices=[('new', 'new'), ('open', 'open'), ('pending', 'pending'), ('on_hold', 'on_hold'), ('resolved', 'resolved'), ('closed', 'closed'), ('merged', 'merged'), ('void', 'void')], max_length=16),
        ),
        migrations.AlterField(
            model_name='ticketevent',
            name='kind',
            field=models.CharField(choices=[('ticket_opened', 'ticket_opened'), ('customer_wrote', 'customer_wrote'), ('agent_replied', 'agent_replied'), ('note_added', 'note_added'), ('ticket_triaged', 'ticket_triaged'), ('ticket_routed', 'ticket_routed'), ('ticket_assigned', 'ticket_assigned'), ('ticket_unassigned', 'ticket_unassigned'), ('task_opened', 'task_opened'), ('task_ended', 'task_ended'), ('level_changed', 'level_changed'), ('priority_changed', 'priority_changed'), ('terms_changed', 'terms_changed'), ('wait_started', 'wait_started'), ('wait_ended', 'wait_ended'), ('wait_reminded', 'wait_reminded'), ('ticket_resolved', 'ticket_resolved'), ('ticket_reopened', 'ticket_reopened'), ('ticket_closed', 'ticket_closed'), ('ticket_voided', 'ticket_voided'), ('ticket_merged', 'ticket_merged'), ('ticket_unmerged', 'ticket_unmerged'), ('merge_taken', 'merge_taken'), ('merge_returned', 'merge_returned'), ('duplicate_seen', 'duplicate_seen'), ('step_fired', 'step_fired'), ('ticket_escalated', 'ticket_escalated'), ('escalation_acknowledged', 'escalation_acknowledged'), ('wake_failed', 'wake_failed')], max_length=32),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('merged_into'), condition=models.Q(('merged_into__isnull', False)), name='tickets_ticket_into'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['new', 'open', 'pending', 'on_hold', 'resolved', 'closed', 'merged', 'void'])), name='tickets_ticket_status'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'merged'), _negated=True), ('merged_into__isnull', False), _connector='OR'), name='tickets_ticket_merged'),
        ),
        migrations.AddField(
            model_name='merge',
            name='agent',
            field=flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.agent'),
        ),
        migrations.AddField(
            model_name='merge',
            name='source',
            field=flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket'),
        ),
        migrations.AddField(
            model_name='merge',
            name='target',
            field=flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket'),
        ),
        migrations.AddField(
            model_name='merge',
            name='tenant',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant'),
        ),
        migrations.AddIndex(
            model_name='merge',
            index=models.Index(models.F('tenant'), models.F('source'), models.F('id'), name='tickets_merge_source'),
        ),
        migrations.AddIndex(
            model_name='merge',
            index=models.Index(models.F('tenant'), models.F('id'), name='tickets_merge_latest'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=models.UniqueConstraint(condition=models.Q(('undone_at__isnull', True)), fields=('tenant', 'source'), name='tickets_merge_once'),
        ),
        TenantWalls(models=['Merge']),
        migrations.RunSQL(
            # As `TenantWalls` makes it for the keys of a new table.
            'alter table tickets_ticket add constraint tickets_ticket_merged_into_id_wall'
            ' foreign key (tenant_id, merged_into_id) references tickets_ticket (tenant_id, id)'
            ' deferrable initially deferred',
            'alter table tickets_ticket drop constraint tickets_ticket_merged_into_id_wall',
        ),
    ]
