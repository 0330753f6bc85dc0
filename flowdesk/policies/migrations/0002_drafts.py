import django.db.models.deletion
import django.db.models.manager
import flowdesk.core.models
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_proven'),
        ('policies', '0001_first'),
    ]

    operations = [
        migrations.CreateModel(
            name='Draft',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('section', models.CharField(max_length=32)),
                ('source', models.TextField()),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.BigIntegerField(null=True)),
                ('changes', models.IntegerField(default=0)),
                ('based_on', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='policies.policyrevision')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'everywhere',
                'default_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('tenant', 'section'), name='policies_draft_once')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everywhere', django.db.models.manager.Manager()),
            ],
        ),
        TenantWalls(models=['Draft']),
    ]
