from django.db import migrations, models


class Migration(migrations.Migration):
    """Lists by the latest change, a look at what is new at one customer, and hubs that look a ticket up by its index."""

    dependencies = [
        ('accounts', '0001_first'),
        ('people', '0001_first'),
        ('policies', '0001_first'),
        ('tickets', '0002_put_aside'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='ticket',
            name='tickets_ticket_active',
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('id'), condition=models.Q(('status__in', ['new', 'open', 'pending', 'on_hold'])), include=('status', 'level', 'priority', 'assignee', 'waiting_internal_since', 'first_response_at', 'is_proactive', 'is_breached', 'due_at', 'at_risk_at'), name='tickets_ticket_standing'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('customer'), models.F('updated_at'), name='tickets_ticket_of_late'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('tenant'), models.F('updated_at'), models.F('id'), name='tickets_ticket_updated'),
        ),
    ]
