"""Tells a demo from a tenant that somebody works in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_first")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="is_demo",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Invented people and tickets, kept moving by the demo."
            ),
        ),
    ]
