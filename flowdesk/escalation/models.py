"""Tables of escalation."""

from django.db import models
from django.db.models import Q

from flowdesk.accounts.tenancy import TenantModel
from flowdesk.core.models import TenantKey
from flowdesk.people.models import Agent, Team
from flowdesk.tickets.models import Ticket


class EscalationKind(models.TextChoices):
    PERCENT = "percent"
    STATE = "state"
    EVENT = "event"
    MANUAL = "manual"


class EscalationState(models.TextChoices):
    TOLD = "told"  # a warning: nobody has to take it
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLIMBED = "climbed"  # its deadline passed and the next step has it
    CLOSED = "closed"  # the ticket ended first
    SKIPPED = "skipped"  # nobody on duty; `note` says to whom it fell


class Escalation(TenantModel):
    """One step for one target. The unique key makes every step fire once, whoever sweeps and however often."""

    public_id = models.UUIDField()
    ticket = TenantKey(Ticket, models.CASCADE)
    kind = models.CharField(max_length=8, choices=EscalationKind.choices)
    rule = models.CharField(max_length=64)
    metric = models.CharField(
        max_length=24, blank=True
    )  # with `cycle` the clock; stages do not point at each other
    cycle = models.IntegerField(default=1)
    step = models.SmallIntegerField()  # percent, or the rung of a state or event rule
    target = models.CharField(max_length=64)  # assignee, team_lead, a post, a team …
    reason = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=EscalationState.choices)
    agent = TenantKey(Agent, null=True)  # whom it reached
    team = TenantKey(Team, null=True)
    trace = models.JSONField(default=dict)  # how the target became a person
    fires_at = models.DateTimeField()  # the instant the rule names
    opened_at = models.DateTimeField()  # when it was done
    due_at = models.DateTimeField(null=True)  # a task's own deadline
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = TenantKey(Agent, null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="escalation_public"),
            models.UniqueConstraint(
                fields=["tenant", "ticket", "rule", "metric", "cycle", "step", "target"],
                name="escalation_once",
            ),
        ]
        indexes = [
            models.Index("tenant", "ticket", "id", name="escalation_ticket"),
            # What nobody has taken: few, and found without reading them.
            models.Index("tenant", "ticket", "due_at", condition=Q(state="open"), name="escalation_untaken"),
            # What fell due in a window, and whether it was taken in time.
            models.Index(
                "tenant",
                "due_at",
                include=["state", "acknowledged_at", "ended_at"],
                condition=Q(due_at__isnull=False),
                name="escalation_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.step} {self.target}"

    @property
    def version(self) -> str:
        """Names how it stands: what can change changes with the state, and no state comes back."""
        return self.state

    @property
    def late_by_seconds(self) -> float:
        return (self.opened_at - self.fires_at).total_seconds()
