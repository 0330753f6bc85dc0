import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
import flowdesk.core.models
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_proven'),
        ('people', '0002_changes'),
    ]

    operations = [
        migrations.AddField(
            model_name='agent',
            name='channels',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), db_default=[], default=list, size=None),
        ),
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(null=True)),
                ('agent', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.agent')),
                ('substitute', flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='people.agent')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'everywhere',
                'default_manager_name': 'objects',
                'indexes': [models.Index(models.F('tenant'), models.F('agent'), models.F('starts_at'), name='people_absence_agent')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'public_id'), name='people_absence_public'), models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='people_absence_order'), models.CheckConstraint(condition=models.Q(('substitute__isnull', True), models.Q(('substitute', models.F('agent')), _negated=True), _connector='OR'), name='people_absence_other')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everywhere', django.db.models.manager.Manager()),
            ],
        ),
        TenantWalls(models=['Absence']),
    ]
