"""Tables of notifications."""

from django.db import models
from django.db.models import Q

from flowdesk.accounts.tenancy import TenantModel
from flowdesk.core.models import TenantKey
from flowdesk.people.models import Agent, Contact
from flowdesk.tickets.models import Ticket, TicketEvent


class DeliveryState(models.TextChoices):
    DUE = "due"
    SENT = "sent"
    FAILED = "failed"  # given up after the last attempt
    DROPPED = "dropped"  # not sent on purpose; `error` says why


class Delivery(TenantModel):
    """One try to tell one recipient about one event on one channel; unique, so nothing is told twice."""

    event = TenantKey(TicketEvent, models.CASCADE)
    ticket = TenantKey(Ticket, models.CASCADE)
    recipient = models.CharField(max_length=80)  # agent:12, contact:7, tenant
    channel = models.CharField(max_length=16)  # email, notice
    agent = TenantKey(Agent, null=True)
    contact = TenantKey(Contact, null=True)
    template = models.CharField(max_length=48)
    data = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=DeliveryState.choices, default=DeliveryState.DUE)
    attempts = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField()  # next try, or the end of a lease
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "event", "recipient", "channel"], name="notifications_once"
            )
        ]
        indexes = [
            models.Index("due_at", condition=Q(state="due"), name="notifications_delivery_due"),
            models.Index("tenant", "ticket", "id", name="notifications_delivery_ticket"),
        ]

    def __str__(self) -> str:
        return f"{self.template} to {self.recipient} by {self.channel}"


class Notice(TenantModel):
    """An in-app notice; its words are made in the reader's language when it is shown."""

    agent = TenantKey(Agent, models.CASCADE)
    ticket = TenantKey(Ticket, models.CASCADE)
    delivery = TenantKey(Delivery, models.CASCADE)
    template = models.CharField(max_length=48)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "delivery"], name="notifications_notice_once")
        ]
        indexes = [models.Index("tenant", "agent", "created_at", name="notifications_notice_agent")]

    def __str__(self) -> str:
        return f"{self.template} for {self.agent_id}"
