import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_proven'),
        ('triage', '0001_first'),
    ]

    operations = [
        migrations.CreateModel(
            name='LearnedModel',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('target', models.CharField(max_length=16)),
                ('version', models.IntegerField()),
                ('state', models.CharField(max_length=16)),
                ('progress', models.CharField(blank=True, max_length=200)),
                ('fault', models.CharField(blank=True, max_length=500)),
                ('data', models.BinaryField(null=True)),
                ('figures', models.JSONField(default=dict)),
                ('comparison', models.JSONField(default=dict)),
                ('begun_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('begun_by', models.BigIntegerField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'everywhere',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'public_id'), name='triage_model_public'), models.UniqueConstraint(fields=('tenant', 'target', 'version'), name='triage_model_version'), models.UniqueConstraint(condition=models.Q(('state', 'in_use')), fields=('tenant', 'target'), name='triage_model_in_use'), models.UniqueConstraint(condition=models.Q(('state', 'training')), fields=('tenant', 'target'), name='triage_model_training')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everywhere', django.db.models.manager.Manager()),
            ],
        ),
        TenantWalls(models=['LearnedModel']),
    ]
