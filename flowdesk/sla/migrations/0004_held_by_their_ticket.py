import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A clock's ticket carries the tenant already: a second key checked each clock once more."""

    dependencies = [('accounts', '0001_first'), ('sla', '0003_decided')]

    operations = [
        migrations.AlterField(
            model_name='clock',
            name='tenant',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant'),
        ),
    ]
