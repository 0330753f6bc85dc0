from django.db import migrations

FILL = """
update tickets_ticket as t set escalated_at = latest.at
from (
    select tenant_id, ticket_id, max(opened_at) as at from escalation_escalation
    where due_at is not null group by tenant_id, ticket_id
) as latest
where t.tenant_id = latest.tenant_id and t.id = latest.ticket_id
"""


class Migration(migrations.Migration):
    """What opening an escalation writes on its ticket from now on, for those that were opened before."""

    dependencies = [('escalation', '0002_reading'), ('tickets', '0006_escalated')]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
