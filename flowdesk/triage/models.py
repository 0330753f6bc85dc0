"""By which words a ticket is found when another is like it, written by the worker alone (`indexing`); and what many
tickets are about (`issues`).

Like an index, the former hold nothing that the tickets do not say: terms are kept as numbers, never as words.
"""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from flowdesk.accounts.tenancy import TenantModel, TenantPart
from flowdesk.core.models import TenantKey
from flowdesk.tickets.models import EPOCH, Ticket


class TicketDigest(TenantPart):
    """A ticket's heaviest terms, heaviest first; empty for one that is to be found no more."""

    ticket = TenantKey(Ticket, models.CASCADE)
    terms = ArrayField(models.IntegerField())
    weights = ArrayField(models.SmallIntegerField())  # hundredths, one for each term
    # A new ticket is looked at once, when it can be found: is it a duplicate, is it one of many about the same?
    needs_look = models.BooleanField(default=False, db_default=False)

    class Meta(TenantPart.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "ticket"], name="triage_digest_once")]
        indexes = [models.Index("id", condition=Q(needs_look=True), name="triage_digest_to_look_at")]

    def __str__(self) -> str:
        return f"{len(self.terms)} terms of {self.ticket_id}"


class TermHolder(models.Model):
    """A ticket that a term tells of.

    No row security and no key to the tenant or the ticket: ten rows a ticket, read by `sql.SIMILAR` alone, which names
    the tenant and shows a ticket only if the walls of the tickets let it. The newest holders of a term are the end
    of one range of the primary key.
    """

    pk = models.CompositePrimaryKey("tenant_id", "term", "ticket_id")
    tenant_id = models.BigIntegerField()
    term = models.IntegerField()
    ticket_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.term} in {self.ticket_id}"


class TenantVocabulary(TenantModel):
    """How many of a tenant's tickets hold a term, in a table of fixed size (`engine.likeness.Vocabulary`)."""

    tickets = models.IntegerField(default=0)
    counts = models.BinaryField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="triage_vocabulary_once")]

    def __str__(self) -> str:
        return f"words of {self.tickets} tickets"


class IndexingProgress(models.Model):
    """How far the tickets of all tenants are indexed, by row id; one row, which belongs to no tenant.

    Up to `settled` nothing can be missing; between it and `reached` a ticket may still come to light whose act took
    long. `seen` is what had been reached when that stretch was looked through last.
    """

    reached = models.BigIntegerField(default=0)
    seen = models.BigIntegerField(default=0)
    settled = models.BigIntegerField(default=0)
    looked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.settled} to {self.reached}"


class IssueStatus(models.TextChoices):
    OPEN = "open"
    KNOWN = "known"  # somebody works on its cause
    FIXED = "fixed"
    CLOSED = "closed"  # takes in no more tickets


class Issue(TenantModel):
    """What several tickets alike are about (N11). Those that come in later join it until it is closed."""

    public_id = models.UUIDField()
    title = models.CharField(max_length=300)
    status = models.CharField(max_length=8, choices=IssueStatus.choices, default=IssueStatus.OPEN)
    fix_note = models.TextField(blank=True)
    representative = TenantKey(Ticket, models.CASCADE)  # whoever joins is like this one
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()  # when the last of its tickets came in
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="triage_issue_public"),
            # A ticket stands in the middle of one issue, so that none is opened twice.
            models.UniqueConstraint(fields=["tenant", "representative"], name="triage_issue_once"),
        ]
        indexes = [models.Index("tenant", "last_seen_at", "id", name="triage_issue_seen")]

    def __str__(self) -> str:
        return self.title

    @property
    def version(self) -> str:
        """Names the issue as the last act left it."""
        return str((self.updated_at - EPOCH) // timedelta(microseconds=1))


class IssueMember(TenantPart):
    """A ticket of an issue. One that somebody took out keeps its row, so that it does not come back by itself."""

    issue = TenantKey(Issue, models.CASCADE)
    ticket = TenantKey(Ticket, models.CASCADE)
    joined_at = models.DateTimeField()
    is_out = models.BooleanField(default=False)

    class Meta(TenantPart.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "ticket"], name="triage_issuemember_once")]
        indexes = [models.Index("tenant", "issue", "ticket", name="triage_issuemember_issue")]

    def __str__(self) -> str:
        return f"{self.ticket_id} of {self.issue_id}"


class LearnedModel(TenantModel):
    """One training on the tenant's own tickets: what came of it, and whether it is asked.

    `data` is the model as `learning.storage` writes it: numbers and words, nothing that runs.
    """

    public_id = models.UUIDField()
    target = models.CharField(max_length=16)  # category, team, priority
    version = models.IntegerField()
    state = models.CharField(max_length=16)  # training, in_use, kept, failed
    progress = models.CharField(max_length=200, blank=True)
    fault = models.CharField(max_length=500, blank=True)
    data = models.BinaryField(null=True)
    figures = models.JSONField(default=dict)  # on later tickets that it had not seen
    comparison = models.JSONField(default=dict)  # with what was in use, on the same tickets
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    begun_by = models.BigIntegerField(null=True)  # a user; empty: a program

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="triage_model_public"),
            models.UniqueConstraint(fields=["tenant", "target", "version"], name="triage_model_version"),
            models.UniqueConstraint(
                fields=["tenant", "target"], condition=models.Q(state="in_use"), name="triage_model_in_use"
            ),
            models.UniqueConstraint(
                fields=["tenant", "target"],
                condition=models.Q(state="training"),
                name="triage_model_training",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target} {self.version}"
