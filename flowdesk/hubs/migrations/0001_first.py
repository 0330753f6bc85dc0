
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
            name='LaunchReport',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('hub', models.CharField(max_length=16)),
                ('published_at', models.DateTimeField()),
                ('published_by', models.BigIntegerField()),
                ('status_note', models.TextField(blank=True)),
                ('snapshot', models.JSONField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'everywhere',
                'default_manager_name': 'objects',
                'indexes': [models.Index(models.F('tenant'), models.F('hub'), models.F('published_at'), name='hubs_report_time')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'public_id'), name='hubs_report_public')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everywhere', django.db.models.manager.Manager()),
            ],
        ),
        TenantWalls(
            models=['LaunchReport'],
            append_only={'LaunchReport': []},
        ),
    ]
