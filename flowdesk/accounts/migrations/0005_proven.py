from django.db import migrations, models


class Migration(migrations.Migration):
    """Nobody is proven yet: how the passwords there are were chosen is not known."""

    dependencies = [("accounts", "0004_api_manners")]

    operations = [
        migrations.AddField("user", "is_proven", models.BooleanField(default=False, db_default=False)),
    ]
