from django.db import migrations, models


class Migration(migrations.Migration):
    """When a ticket was last escalated, so that a look at a customer's does not walk over all their tickets."""

    dependencies = [('tickets', '0005_held_by_their_ticket')]

    operations = [
        migrations.AddField('ticket', 'escalated_at', models.DateTimeField(null=True)),
        migrations.RemoveIndex(model_name='ticket', name='tickets_ticket_of_late'),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('customer'), models.F('escalated_at'), condition=models.Q(('escalated_at__isnull', False)), name='tickets_ticket_escalated'),
        ),
    ]
