import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

from flowdesk.core.walls import TenantWalls


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_audit_chain")]

    operations = [
        migrations.AddField(
            "apikey",
            "limit",
            models.IntegerField(
                null=True, help_text="Requests in a window of the limit for keys; else as set."
            ),
        ),
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=255)),
                ("request", models.BinaryField(max_length=32)),
                ("at", models.DateTimeField()),
                ("result", models.JSONField(null=True)),
                ("status", models.SmallIntegerField(null=True)),
                ("headers", models.JSONField(default=dict)),
                ("body", models.TextField(blank=True)),
                ("api_key", models.BigIntegerField()),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "everywhere",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=["tenant", "api_key", "key"], name="accounts_answer_once")
                ],
                "indexes": [models.Index(fields=["at"], name="accounts_answer_age")],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everywhere", django.db.models.manager.Manager()),
            ],
        ),
        TenantWalls(models=["KeptAnswer"]),
        migrations.CreateModel(
            name="Quota",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("turn", models.BigIntegerField()),
                ("taken", models.IntegerField()),
                ("granted", models.IntegerField()),
                ("ends_at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["ends_at"], name="accounts_quota_age")]},
        ),
        # Counts of the minute are worth no write-ahead log: after a crash every limit begins anew.
        migrations.RunSQL("alter table accounts_quota set unlogged", "alter table accounts_quota set logged"),
    ]
