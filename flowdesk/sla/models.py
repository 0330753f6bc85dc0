"""Tables of promises."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from flowdesk.accounts.tenancy import TenantPart
from flowdesk.core.models import TenantKey
from flowdesk.engine.clock import CUSTOMER_METRICS, ClockState, Metric, Outcome
from flowdesk.tickets.models import Ticket

IS_CUSTOMERS = Q(metric__in=sorted(metric.value for metric in CUSTOMER_METRICS))


class Clock(TenantPart):
    """One metric of one ticket in one cycle; `engine.clock.Clock` is its value and holds the rules.

    It keeps the policy revision and calendar it began with. `target` and `spent` are open time;
    `pauses` is start, end, start, end … of what was left out.
    """

    ticket = TenantKey(Ticket, models.CASCADE)
    metric = models.CharField(max_length=24, choices=[(m.value, m.value) for m in Metric])
    cycle = models.IntegerField()
    state = models.CharField(max_length=8, choices=[(s.value, s.value) for s in ClockState])
    outcome = models.CharField(max_length=8, blank=True, choices=[(o.value, o.value) for o in Outcome])
    policy_revision = TenantKey("policies.PolicyRevision")
    calendar = models.CharField(max_length=64)
    amount_minutes = models.IntegerField()  # as promised, in `unit`
    unit = models.CharField(max_length=16)
    priority = models.SmallIntegerField()
    target = models.DurationField()
    started_at = models.DateTimeField()
    since = models.DateTimeField()
    spent = models.DurationField()
    pauses = ArrayField(models.DateTimeField(), default=list)
    fired = ArrayField(models.SmallIntegerField(), default=list)
    due_at = models.DateTimeField()
    at_risk_at = models.DateTimeField(null=True)
    missed_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    wake_at = models.DateTimeField(null=True)

    class Meta(TenantPart.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "ticket", "metric", "cycle"], name="sla_clock_cycle"),
            models.CheckConstraint(condition=Q(cycle__gte=1), name="sla_clock_cycle_counts"),
        ]
        indexes = [
            # Hit rate of a window: promises to customers decided in it, met when stopped, missed when due.
            models.Index(
                "tenant", "stopped_at", condition=Q(outcome="met") & IS_CUSTOMERS, name="sla_clock_met"
            ),
            models.Index(
                "tenant", "missed_at", condition=Q(outcome="missed") & IS_CUSTOMERS, name="sla_clock_decided"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.cycle}"
