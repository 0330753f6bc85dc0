import django.db.models.deletion
from django.db import migrations, models

PARTS = ('ticket', 'message', 'note', 'ticketevent', 'wait', 'explanation')


class Migration(migrations.Migration):
    """A ticket's customer and a row's ticket carry the tenant already: a second key checked each row once more."""

    dependencies = [('accounts', '0001_first'), ('tickets', '0004_standing')]

    operations = [
        migrations.AlterField(
            model_name=name,
            name='tenant',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant'),
        )
        for name in PARTS
    ]
