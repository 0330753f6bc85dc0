
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_first'),
    ]

    operations = [
        migrations.CreateModel(
            name='AutomationRun',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('trigger', models.CharField(max_length=16)),
                ('slot', models.CharField(blank=True, max_length=64)),
                ('user_id', models.BigIntegerField(null=True)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('counts', models.JSONField(default=dict)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'everywhere',
                'default_manager_name': 'objects',
                'indexes': [models.Index(models.F('tenant'), models.F('started_at'), name='automations_run_time')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'public_id'), name='automations_run_public'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('tenant',), name='automations_run_single_flight'), models.UniqueConstraint(condition=models.Q(('slot', ''), _negated=True), fields=('tenant', 'trigger', 'slot'), name='automations_run_slot')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everywhere', django.db.models.manager.Manager()),
            ],
        ),
        TenantWalls(
            models=['AutomationRun'],
        ),
    ]
