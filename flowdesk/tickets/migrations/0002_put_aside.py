from django.db import migrations, models


class Migration(migrations.Migration):
    """What the sweep could not wake can be counted without reading every ticket."""

    dependencies = [
        ('tickets', '0001_first'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('id'), condition=models.Q(('wake_failures__gt', 0)), name='tickets_ticket_put_aside'),
        ),
    ]
