"""Tables of routing: what was handed out together, so that it can be looked at and taken back together."""

from django.db import models
from django.db.models import Q

from flowdesk.accounts.tenancy import TenantModel, TenantPart
from flowdesk.core.models import TenantKey
from flowdesk.people.models import Agent, Team
from flowdesk.tickets.models import Ticket


class BulkKind(models.TextChoices):
    DRAINED = "drained"  # the queue, given to whoever came free
    REBALANCED = "rebalanced"
    UNDONE = "undone"  # another one, taken back


class Bulk(TenantModel):
    """Tickets that changed hands by one decision; rows of `Move` say which, from whom and to whom."""

    public_id = models.UUIDField()
    kind = models.CharField(max_length=16, choices=BulkKind.choices)
    at = models.DateTimeField()
    user_id = models.BigIntegerField(null=True)  # empty: the system
    undoes = TenantKey("self", null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="routing_bulk_public"),
            models.UniqueConstraint(
                fields=["tenant", "undoes"],
                condition=Q(undoes__isnull=False),
                name="routing_bulk_undone_once",
            ),
        ]
        indexes = [models.Index("tenant", "at", "id", name="routing_bulk_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"


class Move(TenantPart):
    """One ticket of a bulk: where it was and where it went."""

    bulk = TenantKey(Bulk, models.CASCADE)
    ticket = TenantKey(Ticket, models.CASCADE)
    team_before = TenantKey(Team, null=True)
    agent_before = TenantKey(Agent, null=True)
    team = TenantKey(Team, null=True)
    agent = TenantKey(Agent, null=True)
    reason = models.CharField(max_length=32, blank=True)

    class Meta(TenantPart.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "bulk", "ticket"], name="routing_move_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id} to {self.agent_id}"
