from django.db import migrations, models


class Migration(migrations.Migration):
    """Misses of a window are counted without reading a clock."""

    dependencies = [
        ('accounts', '0001_first'),
        ('policies', '0001_first'),
        ('sla', '0001_first'),
        ('tickets', '0001_first'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='clock',
            name='sla_clock_missed',
        ),
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(models.F('tenant'), models.F('missed_at'), condition=models.Q(('outcome', 'missed')), include=('metric',), name='sla_clock_decided'),
        ),
    ]
