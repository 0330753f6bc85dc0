from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0001_first")]

    operations = [
        migrations.AddField("customer", "changes", models.IntegerField(default=0, db_default=0)),
        migrations.AddField("contact", "changes", models.IntegerField(default=0, db_default=0)),
    ]
