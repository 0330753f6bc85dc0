from django.db import migrations, models

CUSTOMERS = ('metric__in', ['callback', 'communication', 'first_response', 'next_response', 'resolution', 'update'])


class Migration(migrations.Migration):
    """Promises to customers that were decided in a window are counted in an index of nothing else."""

    dependencies = [('sla', '0002_reading')]

    operations = [
        migrations.RemoveIndex(model_name='clock', name='sla_clock_met'),
        migrations.RemoveIndex(model_name='clock', name='sla_clock_decided'),
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(models.F('tenant'), models.F('stopped_at'), condition=models.Q(('outcome', 'met'), CUSTOMERS), name='sla_clock_met'),
        ),
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(models.F('tenant'), models.F('missed_at'), condition=models.Q(('outcome', 'missed'), CUSTOMERS), name='sla_clock_decided'),
        ),
    ]
