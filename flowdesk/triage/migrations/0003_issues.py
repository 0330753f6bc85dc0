import django.db.models.deletion
import django.db.models.manager
import flowdesk.core.models
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):
    """What several tickets are about, and which new tickets nobody has looked at yet."""

    dependencies = [
        ('accounts', '0005_proven'),
        ('tickets', '0008_merged'),
        ('triage', '0002_learned'),
    ]

    operations = [
        migrations.CreateModel(
            name='Issue',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('public_id', models.UUIDField()),
                ('title', models.CharField(max_length=300)),
                ('status', models.CharField(choices=[('open', 'Open'), ('known', 'Known'), ('fixed', 'Fixed'), ('closed', 'Closed')], default='open', max_length=8)),
                ('fix_note', models.TextField(blank=True)),
                ('opened_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
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
            name='IssueMember',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('joined_at', models.DateTimeField()),
                ('is_out', models.BooleanField(default=False)),
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
        migrations.AddField(
            model_name='ticketdigest',
            name='needs_look',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name='ticketdigest',
            index=models.Index(models.F('id'), condition=models.Q(('needs_look', True)), name='triage_digest_to_look_at'),
        ),
        migrations.AddField(
            model_name='issue',
            name='representative',
            field=flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket'),
        ),
        migrations.AddField(
            model_name='issue',
            name='tenant',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant'),
        ),
        migrations.AddField(
            model_name='issuemember',
            name='issue',
            field=flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='triage.issue'),
        ),
        migrations.AddField(
            model_name='issuemember',
            name='tenant',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant'),
        ),
        migrations.AddField(
            model_name='issuemember',
            name='ticket',
            field=flowdesk.core.models.TenantKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket'),
        ),
        migrations.AddIndex(
            model_name='issue',
            index=models.Index(models.F('tenant'), models.F('last_seen_at'), models.F('id'), name='triage_issue_seen'),
        ),
        migrations.AddConstraint(
            model_name='issue',
            constraint=models.UniqueConstraint(fields=('tenant', 'public_id'), name='triage_issue_public'),
        ),
        migrations.AddConstraint(
            model_name='issue',
            constraint=models.UniqueConstraint(fields=('tenant', 'representative'), name='triage_issue_once'),
        ),
        migrations.AddIndex(
            model_name='issuemember',
            index=models.Index(models.F('tenant'), models.F('issue'), models.F('ticket'), name='triage_issuemember_issue'),
        ),
        migrations.AddConstraint(
            model_name='issuemember',
            constraint=models.UniqueConstraint(fields=('tenant', 'ticket'), name='triage_issuemember_once'),
        ),
        TenantWalls(models=['Issue', 'IssueMember'], parents=['Issue']),
    ]
