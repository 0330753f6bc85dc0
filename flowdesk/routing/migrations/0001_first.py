import django.db.models.deletion
import django.db.models.manager
import flowdesk.core.models
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0005_proven'),
        ('people', '0003_absence'),
        ('tickets', '0007_understood'),
    ]

    operations = [
        migrations.CreateModel(
            name='Bulk',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('kind', models.CharField(choices=[('drained', 'Drained'), ('rebalanced', 'Rebalanced'), ('undone', 'Undone')], max_length=16)),
                ('at', models.DateTimeField()),
                ('user_id', models.BigIntegerField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('undoes', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='routing.bulk')),
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
            name='Move',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reason', models.CharField(blank=True, max_length=32)),
                ('agent', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.agent')),
                ('agent_before', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.agent')),
                ('bulk', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='routing.bulk')),
                ('team', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.team')),
                ('team_before', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.team')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
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
            model_name='bulk',
            index=models.Index(models.F('tenant'), models.F('at'), models.F('id'), name='routing_bulk_time'),
        ),
        migrations.AddConstraint(
            model_name='bulk',
            constraint=models.UniqueConstraint(fields=('tenant', 'public_id'), name='routing_bulk_public'),
        ),
        migrations.AddConstraint(
            model_name='bulk',
            constraint=models.UniqueConstraint(condition=models.Q(('undoes__isnull', False)), fields=('tenant', 'undoes'), name='routing_bulk_undone_once'),
        ),
        migrations.AddConstraint(
            model_name='move',
            constraint=models.UniqueConstraint(fields=('tenant', 'bulk', 'ticket'), name='routing_move_once'),
        ),
        TenantWalls(models=['Bulk', 'Move'], parents=['Bulk']),
    ]
