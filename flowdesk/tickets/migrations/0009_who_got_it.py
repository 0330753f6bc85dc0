import django.db.models.fields.json
import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):
    """Who got a ticket, where an index can hold it; the database says it for the events that are there."""

    dependencies = [
        ('accounts', '0005_proven'),
        ('tickets', '0008_merged'),
    ]

    operations = [
        migrations.AddField(
            model_name='ticketevent',
            name='assignee_id',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(kind='ticket_assigned', then=django.db.models.functions.comparison.Cast(django.db.models.fields.json.KeyTextTransform('assignee', 'data'), models.BigIntegerField()))), output_field=models.BigIntegerField(null=True)),
        ),
        migrations.AddIndex(
            model_name='ticketevent',
            index=models.Index(models.F('tenant'), models.F('assignee_id'), models.F('id'), condition=models.Q(('assignee_id__isnull', False)), name='tickets_event_assignee'),
        ),
    ]
