import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import flowdesk.core.models
from flowdesk.core.walls import TenantWalls

MANAGERS = [
    ('objects', django.db.models.manager.Manager()),
    ('everywhere', django.db.models.manager.Manager()),
]
OPTIONS = {'abstract': False, 'base_manager_name': 'everywhere', 'default_manager_name': 'objects'}


class Migration(migrations.Migration):
    """What tickets are found by when another is like them, and how far they are indexed."""

    initial = True

    dependencies = [
        ('accounts', '0001_first'),
        ('tickets', '0006_escalated'),
    ]

    operations = [
        migrations.CreateModel(
            name='IndexingProgress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reached', models.BigIntegerField(default=0)),
                ('seen', models.BigIntegerField(default=0)),
                ('settled', models.BigIntegerField(default=0)),
                ('looked_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='TermHolder',
            fields=[
                ('pk', models.CompositePrimaryKey('tenant_id', 'term', 'ticket_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('tenant_id', models.BigIntegerField()),
                ('term', models.IntegerField()),
                ('ticket_id', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='TenantVocabulary',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('tickets', models.IntegerField(default=0)),
                ('counts', models.BinaryField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={**OPTIONS, 'constraints': [models.UniqueConstraint(fields=('tenant',), name='triage_vocabulary_once')]},
            managers=MANAGERS,
        ),
        migrations.CreateModel(
            name='TicketDigest',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('terms', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ('weights', django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), size=None)),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
                ('ticket', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket')),
            ],
            options={**OPTIONS, 'constraints': [models.UniqueConstraint(fields=('tenant', 'ticket'), name='triage_digest_once')]},
            managers=MANAGERS,
        ),
        TenantWalls(models=['TenantVocabulary', 'TicketDigest']),
        migrations.RunSQL(
            "insert into triage_indexingprogress (reached, seen, settled) values (0, 0, 0)",
            "delete from triage_indexingprogress",
        ),
    ]
