import django.db.models.deletion
import django.db.models.manager
import flowdesk.core.models
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_proven'),
        ('people', '0003_absence'),
        ('policies', '0001_first'),
        ('tickets', '0006_escalated'),
    ]

    operations = [
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('kind', models.CharField(choices=[('first_investigation', 'first_investigation')], max_length=32)),
                ('opened_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, max_length=16)),
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
        migrations.RemoveIndex(
            model_name='ticket',
            name='tickets_ticket_assignee',
        ),
        migrations.AddField(
            model_name='ticket',
            name='confidence',
            field=models.SmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='needs_review',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='ticket',
            name='sentiment',
            field=models.CharField(blank=True, db_default='', default='', max_length=8),
        ),
        migrations.AlterField(
            model_name='ticketevent',
            name='kind',
            field=models.CharField(choices=[('ticket_opened', 'ticket_opened'), ('customer_wrote', 'customer_wrote'), ('agent_replied', 'agent_replied'), ('note_added', 'note_added'), ('ticket_triaged', 'ticket_triaged'), ('ticket_routed', 'ticket_routed'), ('ticket_assigned', 'ticket_assigned'), ('ticket_unassigned', 'ticket_unassigned'), ('task_opened', 'task_opened'), ('task_ended', 'task_ended'), ('level_changed', 'level_changed'), ('priority_changed', 'priority_changed'), ('terms_changed', 'terms_changed'), ('wait_started', 'wait_started'), ('wait_ended', 'wait_ended'), ('wait_reminded', 'wait_reminded'), ('ticket_resolved', 'ticket_resolved'), ('ticket_reopened', 'ticket_reopened'), ('ticket_closed', 'ticket_closed'), ('ticket_voided', 'ticket_voided'), ('step_fired', 'step_fired'), ('ticket_escalated', 'ticket_escalated'), ('escalation_acknowledged', 'escalation_acknowledged'), ('wake_failed', 'wake_failed')], max_length=32),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('assignee'), models.F('due_at'), models.F('id'), condition=models.Q(('status__in', ['new', 'open', 'pending', 'on_hold'])), include=('priority',), name='tickets_ticket_assignee'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('confidence'), models.F('id'), condition=models.Q(('status__in', ['new', 'open', 'pending', 'on_hold']), ('needs_review', True)), name='tickets_ticket_review'),
        ),
        migrations.AddIndex(
            model_name='ticketevent',
            index=models.Index(models.F('tenant'), models.F('id'), condition=models.Q(('kind__in', ['ticket_assigned', 'ticket_unassigned', 'ticket_routed'])), name='tickets_event_assigned'),
        ),
        migrations.AddField(
            model_name='task',
            name='agent',
            field=flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.agent'),
        ),
        migrations.AddField(
            model_name='task',
            name='tenant',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant'),
        ),
        migrations.AddField(
            model_name='task',
            name='ticket',
            field=flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(models.F('tenant'), models.F('agent'), models.F('due_at'), condition=models.Q(('ended_at__isnull', True)), name='tickets_task_open'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(models.F('tenant'), models.F('due_at'), include=('ended_at', 'outcome'), name='tickets_task_due'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(fields=('tenant', 'public_id'), name='tickets_task_public'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('tenant', 'ticket', 'kind'), name='tickets_task_open_once'),
        ),
        TenantWalls(models=['Task']),
    ]
