
import django.db.models.deletion
import django.db.models.manager
import flowdesk.core.models
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_first'),
        ('people', '0001_first'),
        ('policies', '0001_first'),
    ]

    operations = [
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('number', models.BigIntegerField()),
                ('external_ref', models.CharField(blank=True, max_length=200)),
                ('subject', models.CharField(max_length=300)),
                ('status', models.CharField(choices=[('new', 'new'), ('open', 'open'), ('pending', 'pending'), ('on_hold', 'on_hold'), ('resolved', 'resolved'), ('closed', 'closed'), ('void', 'void')], max_length=16)),
                ('priority', models.SmallIntegerField()),
                ('impact', models.CharField(default='M', max_length=1)),
                ('urgency', models.CharField(default='M', max_length=1)),
                ('category', models.CharField(blank=True, max_length=32)),
                ('subcategory', models.CharField(blank=True, max_length=64)),
                ('complexity', models.SmallIntegerField(default=1)),
                ('language', models.CharField(blank=True, max_length=8)),
                ('channel', models.CharField(choices=[('email', 'email'), ('web', 'web'), ('chat', 'chat'), ('phone', 'phone'), ('api', 'api'), ('portal', 'portal')], max_length=16)),
                ('signals', models.JSONField(default=list)),
                ('fields', models.JSONField(default=dict)),
                ('is_major_incident', models.BooleanField(default=False)),
                ('is_proactive', models.BooleanField(default=False)),
                ('level', models.SmallIntegerField(default=1)),
                ('rule_target_minutes', models.IntegerField(null=True)),
                ('rule_target_loosens', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('unanswered_since', models.DateTimeField(null=True)),
                ('waiting_internal_since', models.DateTimeField(null=True)),
                ('level_entered_at', models.DateTimeField(null=True)),
                ('first_response_at', models.DateTimeField(null=True)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('reopen_count', models.IntegerField(default=0)),
                ('reply_count', models.IntegerField(default=0)),
                ('due_at', models.DateTimeField(null=True)),
                ('at_risk_at', models.DateTimeField(null=True)),
                ('is_breached', models.BooleanField(default=False)),
                ('wake_at', models.DateTimeField(null=True)),
                ('wake_failures', models.SmallIntegerField(default=0)),
                ('assignee', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.agent')),
                ('contact', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.contact')),
                ('customer', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.customer')),
                ('follows', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tickets.ticket')),
                ('policy_revision', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='policies.policyrevision')),
                ('team', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.team')),
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
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('kind', models.CharField(default='note', max_length=16)),
                ('text', models.TextField()),
                ('data', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField()),
                ('agent', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.agent')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('ticket', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket')),
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
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('author_kind', models.CharField(choices=[('contact', 'Contact'), ('agent', 'Agent'), ('system', 'System')], max_length=8)),
                ('channel', models.CharField(max_length=16)),
                ('is_automatic', models.BooleanField(default=False)),
                ('text', models.TextField()),
                ('html', models.TextField(blank=True)),
                ('sent_at', models.DateTimeField()),
                ('agent', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.agent')),
                ('contact', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.contact')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('ticket', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket')),
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
        migrations.CreateModel(
            name='Explanation',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('subject', models.CharField(max_length=16)),
                ('at', models.DateTimeField()),
                ('trace', models.JSONField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('ticket', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket')),
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
        migrations.CreateModel(
            name='TicketCounter',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('next_number', models.BigIntegerField(default=1)),
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
        migrations.CreateModel(
            name='TicketEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('ticket_opened', 'ticket_opened'), ('customer_wrote', 'customer_wrote'), ('agent_replied', 'agent_replied'), ('note_added', 'note_added'), ('ticket_triaged', 'ticket_triaged'), ('ticket_routed', 'ticket_routed'), ('ticket_assigned', 'ticket_assigned'), ('ticket_unassigned', 'ticket_unassigned'), ('level_changed', 'level_changed'), ('priority_changed', 'priority_changed'), ('terms_changed', 'terms_changed'), ('wait_started', 'wait_started'), ('wait_ended', 'wait_ended'), ('wait_reminded', 'wait_reminded'), ('ticket_resolved', 'ticket_resolved'), ('ticket_reopened', 'ticket_reopened'), ('ticket_closed', 'ticket_closed'), ('ticket_voided', 'ticket_voided'), ('step_fired', 'step_fired'), ('ticket_escalated', 'ticket_escalated'), ('escalation_acknowledged', 'escalation_acknowledged'), ('wake_failed', 'wake_failed')], max_length=32)),
                ('at', models.DateTimeField()),
                ('actor_kind', models.CharField(max_length=16)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('data', models.JSONField(default=dict)),
                ('dispatched_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('ticket', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket')),
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
        migrations.CreateModel(
            name='Wait',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=16)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('started_at', models.DateTimeField()),
                ('ends_by', models.DateTimeField()),
                ('remind_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('agent', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.agent')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('ticket', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket')),
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
            model_name='ticket',
            index=models.Index(models.F('wake_at'), condition=models.Q(('wake_at__isnull', False)), name='tickets_ticket_wake'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('due_at'), models.F('id'), condition=models.Q(('status__in', ['new', 'open', 'pending', 'on_hold'])), name='tickets_ticket_due'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('assignee'), models.F('due_at'), models.F('id'), condition=models.Q(('status__in', ['new', 'open', 'pending', 'on_hold'])), name='tickets_ticket_assignee'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('team'), models.F('due_at'), models.F('id'), condition=models.Q(('status__in', ['new', 'open', 'pending', 'on_hold'])), name='tickets_ticket_team'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), condition=models.Q(('status__in', ['new', 'open', 'pending', 'on_hold'])), include=('id', 'status', 'level', 'priority', 'assignee', 'waiting_internal_since', 'first_response_at', 'is_proactive', 'is_breached', 'due_at', 'at_risk_at'), name='tickets_ticket_active'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('customer'), models.F('id'), name='tickets_ticket_customer'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('created_at'), include=('status',), name='tickets_ticket_created'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('resolved_at'), condition=models.Q(('resolved_at__isnull', False)), name='tickets_ticket_resolved'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.UniqueConstraint(fields=('tenant', 'public_id'), name='tickets_ticket_public'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.UniqueConstraint(fields=('tenant', 'number'), name='tickets_ticket_number'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.UniqueConstraint(condition=models.Q(('external_ref', ''), _negated=True), fields=('tenant', 'external_ref'), name='tickets_ticket_external'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(('priority__gte', 1), ('priority__lte', 4)), name='tickets_ticket_priority'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['new', 'open', 'pending', 'on_hold', 'resolved', 'closed', 'void'])), name='tickets_ticket_status'),
        ),
        migrations.AddIndex(
            model_name='note',
            index=models.Index(models.F('tenant'), models.F('ticket'), models.F('created_at'), name='tickets_note_ticket'),
        ),
        migrations.AddConstraint(
            model_name='note',
            constraint=models.UniqueConstraint(fields=('tenant', 'public_id'), name='tickets_note_public'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('tenant'), models.F('ticket'), models.F('sent_at'), name='tickets_message_ticket'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(fields=('tenant', 'public_id'), name='tickets_message_public'),
        ),
        migrations.AddIndex(
            model_name='explanation',
            index=models.Index(models.F('tenant'), models.F('ticket'), models.F('id'), name='tickets_explanation_ticket'),
        ),
        migrations.AddConstraint(
            model_name='ticketcounter',
            constraint=models.UniqueConstraint(fields=('tenant',), name='tickets_counter_once'),
        ),
        migrations.AddIndex(
            model_name='ticketevent',
            index=models.Index(models.F('tenant'), models.F('ticket'), models.F('id'), name='tickets_event_ticket'),
        ),
        migrations.AddIndex(
            model_name='ticketevent',
            index=models.Index(models.F('id'), condition=models.Q(('dispatched_at__isnull', True)), name='tickets_event_undispatched'),
        ),
        migrations.AddIndex(
            model_name='wait',
            index=models.Index(models.F('tenant'), models.F('ticket'), models.F('started_at'), name='tickets_wait_ticket'),
        ),
        migrations.AddConstraint(
            model_name='wait',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('tenant', 'ticket', 'reason'), name='tickets_wait_open_once'),
        ),
        TenantWalls(
            models=['TicketCounter', 'Ticket', 'Message', 'Note', 'TicketEvent', 'Wait', 'Explanation'],
            parents=['Ticket', 'TicketEvent'],
            append_only={'TicketEvent': ['dispatched_at']},
        ),
    ]
