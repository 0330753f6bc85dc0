import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import flowdesk.core.models
from flowdesk.core.walls import TenantWalls, WorkerStamps


class Migration(migrations.Migration):
    """Seals over the audit log: each tenant's entries in one order, hashed one over the other."""

    dependencies = [
        ('accounts', '0002_sessions'),
    ]

    operations = [
        migrations.AddField(
            model_name='auditentry',
            name='sealed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(condition=models.Q(('sealed_at__isnull', True)), fields=['id'], name='accounts_audit_unsealed'),
        ),
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('number', models.BigIntegerField()),
                ('digest', models.BinaryField(max_length=32)),
                ('sealed_at', models.DateTimeField()),
                ('entry', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.auditentry')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'everywhere',
                'default_manager_name': 'objects',
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'number'), name='accounts_seal_number'),
                    models.UniqueConstraint(fields=('tenant', 'entry'), name='accounts_seal_entry'),
                ],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everywhere', django.db.models.manager.Manager()),
            ],
        ),
        TenantWalls(
            models=['AuditSeal'],
            parents=['AuditEntry'],
            append_only={'AuditSeal': []},
        ),
        WorkerStamps(model='AuditEntry', columns=['sealed_at']),
    ]
