
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
import flowdesk.core.models
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_first'),
        ('policies', '0001_first'),
        ('tickets', '0001_first'),
    ]

    operations = [
        migrations.CreateModel(
            name='Clock',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('metric', models.CharField(choices=[('first_response', 'first_response'), ('next_response', 'next_response'), ('resolution', 'resolution'), ('update', 'update'), ('communication', 'communication'), ('callback', 'callback'), ('assignment', 'assignment'), ('ownership_response', 'ownership_response'), ('ownership', 'ownership')], max_length=24)),
                ('cycle', models.IntegerField()),
                ('state', models.CharField(choices=[('running', 'running'), ('paused', 'paused'), ('stopped', 'stopped')], max_length=8)),
                ('outcome', models.CharField(blank=True, choices=[('met', 'met'), ('missed', 'missed'), ('merged', 'merged'), ('void', 'void')], max_length=8)),
                ('calendar', models.CharField(max_length=64)),
                ('amount_minutes', models.IntegerField()),
                ('unit', models.CharField(max_length=16)),
                ('priority', models.SmallIntegerField()),
                ('target', models.DurationField()),
                ('started_at', models.DateTimeField()),
                ('since', models.DateTimeField()),
                ('spent', models.DurationField()),
                ('pauses', django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), default=list, size=None)),
                ('fired', django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), default=list, size=None)),
                ('due_at', models.DateTimeField()),
                ('at_risk_at', models.DateTimeField(null=True)),
                ('missed_at', models.DateTimeField(null=True)),
                ('stopped_at', models.DateTimeField(null=True)),
                ('wake_at', models.DateTimeField(null=True)),
                ('policy_revision', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='policies.policyrevision')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('ticket', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'everywhere',
                'default_manager_name': 'objects',
                'indexes': [models.Index(models.F('tenant'), models.F('stopped_at'), condition=models.Q(('outcome', 'met')), include=('metric',), name='sla_clock_met'), models.Index(models.F('tenant'), models.F('missed_at'), condition=models.Q(('missed_at__isnull', False)), name='sla_clock_missed')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'ticket', 'metric', 'cycle'), name='sla_clock_cycle'), models.CheckConstraint(condition=models.Q(('cycle__gte', 1)), name='sla_clock_cycle_counts')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everywhere', django.db.models.manager.Manager()),
            ],
        ),
        TenantWalls(
            models=['Clock'],
            parents=['Clock'],
        ),
    ]
