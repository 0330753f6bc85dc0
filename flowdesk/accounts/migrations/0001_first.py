
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.manager
import flowdesk.core.time
from django.conf import settings
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Tenant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(unique=True)),
                ('name', models.CharField(max_length=200)),
                ('language', models.CharField(default='en', max_length=8)),
                ('zone', models.CharField(default='Europe/Stockholm', max_length=64)),
                ('mail_from', models.EmailField(default='support@flowdesk.invalid', max_length=254)),
                ('mandatory_contact_email', models.EmailField(blank=True, help_text='Where an escalation ends when every post above is vacant.', max_length=254)),
                ('is_demo', models.BooleanField(db_default=False, default=False, help_text='Invented people and tickets, kept moving by the demo.')),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('email', models.EmailField(max_length=254, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('language', models.CharField(blank=True, max_length=8)),
                ('zone', models.CharField(blank=True, max_length=64)),
                ('theme', models.CharField(blank=True, max_length=8)),
                ('keys_off', models.BooleanField(default=False)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=flowdesk.core.time.now)),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='accounts_user_email')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('agent', 'agent'), ('lead', 'lead'), ('manager', 'manager'), ('admin', 'admin'), ('auditor', 'auditor')], max_length=16)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='accounts.tenant')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('tenant', 'user'), name='accounts_membership_once'), models.CheckConstraint(condition=models.Q(('role__in', ['agent', 'lead', 'manager', 'admin', 'auditor'])), name='accounts_membership_role')],
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('actor_kind', models.CharField(choices=[('user', 'user'), ('api_key', 'api_key'), ('contact', 'contact'), ('system', 'system')], max_length=16)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('act', models.CharField(max_length=64)),
                ('thing', models.CharField(max_length=32)),
                ('thing_id', models.BigIntegerField(null=True)),
                ('before', models.JSONField(default=dict)),
                ('after', models.JSONField(default=dict)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'everywhere',
                'default_manager_name': 'objects',
                'indexes': [models.Index(fields=['tenant', 'at'], name='accounts_audit_time')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everywhere', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('prefix', models.CharField(max_length=12)),
                ('digest', models.BinaryField(max_length=32, unique=True)),
                ('scopes', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('last_used_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.tenant')),
            ],
            options={
                'indexes': [models.Index(fields=['tenant', 'name'], name='accounts_apikey_tenant')],
            },
        ),
        TenantWalls(
            models=['AuditEntry'],
            append_only={'AuditEntry': []},
        ),
    ]
