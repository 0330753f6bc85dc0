
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
        ('tickets', '0001_first'),
    ]

    operations = [
        migrations.CreateModel(
            name='Escalation',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('kind', models.CharField(choices=[('percent', 'Percent'), ('state', 'State'), ('event', 'Event'), ('manual', 'Manual')], max_length=8)),
                ('rule', models.CharField(max_length=64)),
                ('metric', models.CharField(blank=True, max_length=24)),
                ('cycle', models.IntegerField(default=1)),
                ('step', models.SmallIntegerField()),
                ('target', models.CharField(max_length=64)),
                ('reason', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('told', 'Told'), ('open', 'Open'), ('acknowledged', 'Acknowledged'), ('climbed', 'Climbed'), ('closed', 'Closed'), ('skipped', 'Skipped')], max_length=16)),
                ('trace', models.JSONField(default=dict)),
                ('fires_at', models.DateTimeField()),
                ('opened_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(null=True)),
                ('acknowledged_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('acknowledged_by', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.agent')),
                ('agent', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.agent')),
                ('team', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.team')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('ticket', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'everywhere',
                'default_manager_name': 'objects',
                'indexes': [models.Index(models.F('tenant'), models.F('ticket'), models.F('id'), name='escalation_ticket'), models.Index(models.F('tenant'), models.F('due_at'), condition=models.Q(('state', 'open')), name='escalation_open'), models.Index(models.F('tenant'), models.F('opened_at'), name='escalation_opened')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'public_id'), name='escalation_public'), models.UniqueConstraint(fields=('tenant', 'ticket', 'rule', 'metric', 'cycle', 'step', 'target'), name='escalation_once')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everywhere', django.db.models.manager.Manager()),
            ],
        ),
        TenantWalls(
            models=['Escalation'],
        ),
    ]
