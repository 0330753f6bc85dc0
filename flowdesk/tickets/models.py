"""Tables of the heart. The hot writes are in `sql.py`; reads and the rest go through these models."""

from datetime import UTC, datetime, timedelta

from django.db import models
from django.db.models import Case, Q, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Least

from flowdesk.accounts.tenancy import TenantModel, TenantPart
from flowdesk.core.models import TenantKey
from flowdesk.people.models import Agent, Contact, Customer, Team
from flowdesk.tickets.states import ACTIVE, Channel, EventKind, MergeReason, Status, TaskKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IS_ACTIVE = Q(status__in=["new", "open", "pending", "on_hold"])


class TicketCounter(TenantModel):
    """The next ticket number of a tenant. Taken in the last statement of a commit, so that writers queue briefly."""

    next_number = models.BigIntegerField(default=1)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="tickets_counter_once")]

    def __str__(self) -> str:
        return str(self.next_number)


class Ticket(TenantPart):
    """The case.

    `due_at` is the earliest deadline among the running clocks promised to the customer, `at_risk_at` the
    earliest instant at which one has spent 75 %; both are empty while all wait. `wake_at` is the next instant
    at which anything about the ticket changes by itself.
    """

    public_id = models.UUIDField()
    number = models.BigIntegerField()
    external_ref = models.CharField(max_length=200, blank=True)  # its name in the system it was imported from
    subject = models.CharField(max_length=300)
    status = models.CharField(max_length=16, choices=[(s.value, s.value) for s in Status])
    priority = models.SmallIntegerField()
    impact = models.CharField(max_length=1, default="M")
    urgency = models.CharField(max_length=1, default="M")
    category = models.CharField(max_length=32, blank=True)
    subcategory = models.CharField(max_length=64, blank=True)
    complexity = models.SmallIntegerField(default=1)
    language = models.CharField(max_length=8, blank=True)
    channel = models.CharField(max_length=16, choices=[(c.value, c.value) for c in Channel])
    signals = models.JSONField(default=list)
    fields = models.JSONField(default=dict)
    is_major_incident = models.BooleanField(default=False)
    is_proactive = models.BooleanField(default=False)  # opened by us, and the customer has not written yet
    customer = TenantKey(Customer)
    contact = TenantKey(Contact, null=True)
    team = TenantKey(Team, null=True)
    assignee = TenantKey(Agent, null=True)
    level = models.SmallIntegerField(default=1)
    follows = TenantKey("self", null=True)  # a message on a closed ticket opens a linked one
    merged_into = TenantKey(
        "self", null=True
    )  # the ticket that stands for it; that one may be merged in its turn
    policy_revision = TenantKey("policies.PolicyRevision")
    rule_target_minutes = models.IntegerField(null=True)
    rule_target_loosens = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    unanswered_since = models.DateTimeField(null=True)
    waiting_internal_since = models.DateTimeField(null=True)
    level_entered_at = models.DateTimeField(null=True)
    first_response_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    reopen_count = models.IntegerField(default=0)
    reply_count = models.IntegerField(default=0)
    # What a resolved ticket came to: promises missed, how much of the time to resolve was spent, and whether its
    # words were unhappy ones (`sla.mapping.verdict_of`).
    missed_count = models.SmallIntegerField(default=0, db_default=0)
    spent_percent = models.SmallIntegerField(default=0, db_default=0)
    was_unhappy = models.BooleanField(default=False, db_default=False)
    due_at = models.DateTimeField(null=True)
    at_risk_at = models.DateTimeField(null=True)
    is_breached = models.BooleanField(default=False)
    wake_at = models.DateTimeField(null=True)
    wake_failures = models.SmallIntegerField(default=0)
    escalated_at = models.DateTimeField(null=True)  # when somebody was last given a task about it
    sentiment = models.CharField(max_length=8, blank=True, default="", db_default="")
    # How sure triage was of the category, in percent; empty where a person said it. What is not sure enough waits
    # for somebody to look at it, until they say yes or better, or the ticket is settled.
    confidence = models.SmallIntegerField(null=True)
    needs_review = models.BooleanField(default=False, db_default=False)

    class Meta(TenantPart.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="tickets_ticket_public"),
            models.UniqueConstraint(fields=["tenant", "number"], name="tickets_ticket_number"),
            models.UniqueConstraint(
                fields=["tenant", "external_ref"],
                condition=~Q(external_ref=""),
                name="tickets_ticket_external",
            ),
            models.CheckConstraint(
                condition=Q(priority__gte=1, priority__lte=4), name="tickets_ticket_priority"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in Status]), name="tickets_ticket_status"
            ),
            models.CheckConstraint(
                condition=~Q(status="merged") | Q(merged_into__isnull=False), name="tickets_ticket_merged"
            ),
        ]
        indexes = [
            # The sweep of every tenant at once: rows that are due, in the order they fell due.
            models.Index("wake_at", condition=Q(wake_at__isnull=False), name="tickets_ticket_wake"),
            # Those that could not be woken of late: seldom any, and watched.
            models.Index("id", condition=Q(wake_failures__gt=0), name="tickets_ticket_put_aside"),
            # The work list: risk first, then age; only what is active.
            models.Index(
                "tenant",
                "due_at",
                "id",
                include=["is_breached", "status"],
                condition=IS_ACTIVE,
                name="tickets_ticket_due",
            ),
            # With the priority: how much of an agent's capacity is taken.
            models.Index(
                "tenant",
                "assignee",
                "due_at",
                "id",
                include=["priority"],
                condition=IS_ACTIVE,
                name="tickets_ticket_assignee",
            ),
            models.Index("tenant", "team", "due_at", "id", condition=IS_ACTIVE, name="tickets_ticket_team"),
            # The work list of those that wait, most of which have no deadline while they do.
            models.Index(
                "tenant",
                "due_at",
                "id",
                condition=Q(status__in=["pending", "on_hold"]),
                name="tickets_ticket_waiting",
            ),
            # What time alone has changed, and no act has recorded yet: at risk, or over and not yet swept.
            models.Index(
                "tenant",
                Least("at_risk_at", "due_at"),
                include=["at_risk_at", "due_at", "status", "priority", "first_response_at", "is_proactive"],
                condition=IS_ACTIVE & Q(is_breached=False),
                name="tickets_ticket_late",
            ),
            # The first deadline of those that nobody has answered.
            models.Index(
                "tenant",
                "due_at",
                condition=Q(status__in=["new", "open"], first_response_at__isnull=True, is_proactive=False),
                name="tickets_ticket_unanswered",
            ),
            # What triage was least sure of first.
            models.Index(
                "tenant",
                "confidence",
                "id",
                condition=IS_ACTIVE & Q(needs_review=True),
                name="tickets_ticket_review",
            ),
            models.Index("tenant", "customer", "id", name="tickets_ticket_customer"),
            # Which of a customer's tickets were escalated of late, however many there are.
            models.Index(
                "tenant",
                "customer",
                "escalated_at",
                condition=Q(escalated_at__isnull=False),
                name="tickets_ticket_escalated",
            ),
            # What was merged into a ticket.
            models.Index(
                "tenant", "merged_into", condition=Q(merged_into__isnull=False), name="tickets_ticket_into"
            ),
            # The latest changes first, for people and for programs that follow them.
            models.Index("tenant", "updated_at", "id", name="tickets_ticket_updated"),
            models.Index("tenant", "created_at", include=["status"], name="tickets_ticket_created"),
            models.Index(
                "tenant",
                "resolved_at",
                include=[
                    "status",
                    "reopen_count",
                    "reply_count",
                    "missed_count",
                    "spent_percent",
                    "was_unhappy",
                ],
                condition=Q(resolved_at__isnull=False),
                name="tickets_ticket_resolved",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def version(self) -> str:
        """Names the ticket as the last act left it; no two acts on a ticket have the same `updated_at`."""
        return str((self.updated_at - EPOCH) // timedelta(microseconds=1))


class Standing(TenantModel):
    """How many more or fewer active tickets stand alike; the rows of a tenant add up to its counts.

    Triggers on the tickets write a row for what a statement changed, so that no count is ever behind and no two acts
    wait for each other; the worker folds the rows. Like an index, it holds nothing that the tickets do not say.
    """

    status = models.CharField(max_length=16)
    level = models.SmallIntegerField()
    is_urgent = models.BooleanField()  # P1 or P2
    is_unassigned = models.BooleanField()
    is_waiting_for_us = models.BooleanField()
    is_unanswered = models.BooleanField()
    is_breached = models.BooleanField()  # recorded as such; see the index `tickets_ticket_late` for the rest
    tickets = models.IntegerField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index("tenant", name="tickets_standing_tenant")]

    def __str__(self) -> str:
        return f"{self.tickets} {self.status}"


class AuthorKind(models.TextChoices):
    CONTACT = "contact"
    AGENT = "agent"
    SYSTEM = "system"


class Message(TenantPart):
    """Words to or from the customer."""

    public_id = models.UUIDField()
    ticket = TenantKey(Ticket, models.CASCADE)
    author_kind = models.CharField(max_length=8, choices=AuthorKind.choices)
    contact = TenantKey(Contact, null=True)
    agent = TenantKey(Agent, null=True)
    channel = models.CharField(max_length=16)
    is_automatic = models.BooleanField(default=False)  # acknowledgements and notices never stop a clock
    text = models.TextField()
    html = models.TextField(blank=True)
    sent_at = models.DateTimeField()

    class Meta(TenantPart.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "public_id"], name="tickets_message_public")]
        indexes = [models.Index("tenant", "ticket", "sent_at", name="tickets_message_ticket")]

    def __str__(self) -> str:
        return f"{self.author_kind} {self.sent_at}"


class Note(TenantPart):
    """Words among agents."""

    public_id = models.UUIDField()
    ticket = TenantKey(Ticket, models.CASCADE)
    agent = TenantKey(Agent, null=True)  # empty: written by the system, e.g. an escalation
    kind = models.CharField(max_length=16, default="note")
    text = models.TextField()
    data = models.JSONField(
        default=dict
    )  # a system note's template values; rendered in the reader's language
    created_at = models.DateTimeField()

    class Meta(TenantPart.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "public_id"], name="tickets_note_public")]
        indexes = [models.Index("tenant", "ticket", "created_at", name="tickets_note_ticket")]

    def __str__(self) -> str:
        return f"note {self.created_at}"


class TicketEvent(TenantPart):
    """What happened, in order; append-only but for `dispatched_at`. Clocks and counters are folds of it."""

    ticket = TenantKey(Ticket, models.CASCADE)
    kind = models.CharField(max_length=32, choices=[(k.value, k.value) for k in EventKind])
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)
    dispatched_at = models.DateTimeField(null=True)
    # A column of its own: row level security keeps what looks into `data` from every index.
    assignee_id = models.GeneratedField(
        expression=Case(
            When(
                kind=EventKind.TICKET_ASSIGNED.value,
                then=Cast(KT("data__assignee"), models.BigIntegerField()),
            )
        ),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )

    class Meta(TenantPart.Meta):
        indexes = [
            models.Index("tenant", "ticket", "id", name="tickets_event_ticket"),
            models.Index("id", condition=Q(dispatched_at__isnull=True), name="tickets_event_undispatched"),
            # Who got what, in the order it happened: the audit of assignments.
            models.Index(
                "tenant",
                "id",
                condition=Q(kind__in=["ticket_assigned", "ticket_unassigned", "ticket_routed"]),
                name="tickets_event_assigned",
            ),
            # The same for one agent.
            models.Index(
                "tenant",
                "assignee_id",
                "id",
                condition=Q(assignee_id__isnull=False),
                name="tickets_event_assignee",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"


class Wait(TenantPart):
    """A reasoned, bounded pause (F-SLA-11..14): who waits for what, since when, until when at the longest."""

    ticket = TenantKey(Ticket, models.CASCADE)
    reason = models.CharField(max_length=16)
    note = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    ends_by = models.DateTimeField()
    remind_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    agent = TenantKey(Agent, null=True)

    class Meta(TenantPart.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "ticket", "reason"],
                condition=Q(ended_at__isnull=True),
                name="tickets_wait_open_once",
            )
        ]
        indexes = [models.Index("tenant", "ticket", "started_at", name="tickets_wait_ticket")]

    def __str__(self) -> str:
        return f"{self.reason} since {self.started_at}"


class Task(TenantPart):
    """Something one agent has to do about a ticket, with a deadline of its own (F-RTE-13)."""

    public_id = models.UUIDField()
    ticket = TenantKey(Ticket, models.CASCADE)
    kind = models.CharField(max_length=32, choices=[(k.value, k.value) for k in TaskKind])
    agent = TenantKey(Agent)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, blank=True)  # a TaskOutcome, once it has ended

    class Meta(TenantPart.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="tickets_task_public"),
            models.UniqueConstraint(
                fields=["tenant", "ticket", "kind"],
                condition=Q(ended_at__isnull=True),
                name="tickets_task_open_once",
            ),
        ]
        indexes = [
            models.Index(
                "tenant", "agent", "due_at", condition=Q(ended_at__isnull=True), name="tickets_task_open"
            ),
            models.Index("tenant", "due_at", include=["ended_at", "outcome"], name="tickets_task_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.due_at}"


class Merge(TenantPart):
    """One ticket was merged into another, by whom and why; with what brings it back.

    `before` is how the source stood, and what the merge did to the target: row ids, enumerations and instants
    (`sla.mapping`, `flows.merge`). What was said stays where it was said: the target shows it.
    """

    source = TenantKey(Ticket, models.CASCADE)
    target = TenantKey(Ticket, models.CASCADE)
    because = models.CharField(max_length=16, choices=[(b.value, b.value) for b in MergeReason])
    likeness_percent = models.SmallIntegerField(null=True)  # where it was merged for being alike
    agent = TenantKey(Agent, null=True)
    merged_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    before = models.JSONField()

    class Meta(TenantPart.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "source"], condition=Q(undone_at__isnull=True), name="tickets_merge_once"
            )
        ]
        indexes = [
            models.Index("tenant", "source", "id", name="tickets_merge_source"),
            # The latest merges, to look at and to undo.
            models.Index("tenant", "id", name="tickets_merge_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} into {self.target_id}"


class Explanation(TenantPart):
    """Why a ticket is classified, prioritised, routed and promised as it is: the trace of one decision."""

    ticket = TenantKey(Ticket, models.CASCADE)
    subject = models.CharField(max_length=16)  # triage, priority, routing, assignment, promise
    at = models.DateTimeField()
    trace = models.JSONField()

    class Meta(TenantPart.Meta):
        indexes = [models.Index("tenant", "ticket", "id", name="tickets_explanation_ticket")]

    def __str__(self) -> str:
        return f"why {self.subject}"
