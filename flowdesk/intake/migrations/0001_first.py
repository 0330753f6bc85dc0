
import django.db.models.deletion
import django.db.models.manager
import flowdesk.core.models
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_first'),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('name', models.CharField(blank=True, max_length=200)),
                ('digest', models.BinaryField(max_length=32)),
                ('size', models.BigIntegerField()),
                ('format', models.CharField(choices=[('jsonl', 'jsonl'), ('csv', 'csv')], max_length=8)),
                ('is_dry', models.BooleanField(default=False)),
                ('ignores_unknown', models.BooleanField(default=False)),
                ('is_stored', models.BooleanField(default=False)),
                ('state', models.CharField(choices=[('queued', 'queued'), ('running', 'running'), ('done', 'done'), ('failed', 'failed'), ('cancelled', 'cancelled')], max_length=16)),
                ('fault', models.CharField(blank=True, max_length=500)),
                ('header', models.TextField(blank=True)),
                ('rows', models.BigIntegerField(default=0)),
                ('imported', models.BigIntegerField(default=0)),
                ('skipped', models.BigIntegerField(default=0)),
                ('refused', models.BigIntegerField(default=0)),
                ('bytes_read', models.BigIntegerField(default=0)),
                ('actor_kind', models.CharField(choices=[('user', 'user'), ('api_key', 'api_key'), ('contact', 'contact'), ('system', 'system')], max_length=16)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('created_at', models.DateTimeField()),
                ('resumed_at', models.DateTimeField(null=True)),
                ('resumed_from', models.BigIntegerField(default=0)),
                ('ended_at', models.DateTimeField(null=True)),
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
            name='ImportPart',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
                ('data', models.BinaryField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('run', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='intake.importrun')),
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
            name='RefusedRow',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('line', models.BigIntegerField()),
                ('faults', models.JSONField()),
                ('row', models.BinaryField()),
                ('run', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='intake.importrun')),
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
            model_name='importrun',
            index=models.Index(models.F('tenant'), models.F('id'), name='intake_run_newest'),
        ),
        migrations.AddIndex(
            model_name='importrun',
            index=models.Index(models.F('tenant'), models.F('digest'), name='intake_run_digest'),
        ),
        migrations.AddConstraint(
            model_name='importrun',
            constraint=models.UniqueConstraint(fields=('tenant', 'public_id'), name='intake_run_public'),
        ),
        migrations.AddConstraint(
            model_name='importpart',
            constraint=models.UniqueConstraint(fields=('tenant', 'run', 'number'), name='intake_part_once'),
        ),
        migrations.AddConstraint(
            model_name='refusedrow',
            constraint=models.UniqueConstraint(fields=('tenant', 'run', 'line'), name='intake_refused_once'),
        ),
        TenantWalls(
            models=['ImportRun', 'ImportPart', 'RefusedRow'],
            parents=['ImportRun'],
        ),
    ]
