from django.db import migrations, models


class Migration(migrations.Migration):
    """What nobody has taken and what fell due are counted without reading an escalation."""

    dependencies = [
        ('accounts', '0001_first'),
        ('escalation', '0001_first'),
        ('people', '0001_first'),
        ('tickets', '0001_first'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='escalation',
            name='escalation_open',
        ),
        migrations.RemoveIndex(
            model_name='escalation',
            name='escalation_opened',
        ),
        migrations.AddIndex(
            model_name='escalation',
            index=models.Index(models.F('tenant'), models.F('ticket'), models.F('due_at'), condition=models.Q(('state', 'open')), name='escalation_untaken'),
        ),
        migrations.AddIndex(
            model_name='escalation',
            index=models.Index(models.F('tenant'), models.F('due_at'), condition=models.Q(('due_at__isnull', False)), include=('state', 'acknowledged_at', 'ended_at'), name='escalation_due'),
        ),
    ]
