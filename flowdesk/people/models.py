"""Tables of people."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from flowdesk.accounts.models import User
from flowdesk.accounts.tenancy import TenantModel
from flowdesk.core.models import TenantKey


class Customer(TenantModel):
    """The party served; the tier says which promises it has bought."""

    public_id = models.UUIDField()
    name = models.CharField(max_length=200)
    tier = models.CharField(max_length=32)  # a tier of the policy document
    is_vip = models.BooleanField(default=False)
    language = models.CharField(max_length=8, blank=True)
    zone = models.CharField(max_length=64, blank=True)
    preferred_channel = models.CharField(max_length=16, blank=True)
    dedicated_agent = TenantKey("people.Agent", models.SET_NULL, null=True)
    external_ref = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    changes = models.IntegerField(default=0, db_default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="people_customer_public"),
            models.UniqueConstraint(
                fields=["tenant", "external_ref"],
                condition=~Q(external_ref=""),
                name="people_customer_external",
            ),
        ]
        indexes = [models.Index("tenant", Lower("name"), name="people_customer_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def version(self) -> str:
        """Names the customer as it was last written."""
        return str(self.changes)


class Contact(TenantModel):
    """A person writing for a customer."""

    public_id = models.UUIDField()
    customer = TenantKey(Customer)
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=8, blank=True)
    created_at = models.DateTimeField()
    changes = models.IntegerField(default=0, db_default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="people_contact_public"),
            models.UniqueConstraint(
                "tenant", Lower("email"), condition=~Q(email=""), name="people_contact_email"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "customer"], name="people_contact_customer")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def version(self) -> str:
        """Names the contact as it was last written."""
        return str(self.changes)


class Agent(TenantModel):
    """A person working tickets."""

    public_id = models.UUIDField()
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    phone = models.CharField(max_length=40, blank=True)
    skills = ArrayField(models.CharField(max_length=64), default=list)
    languages = ArrayField(models.CharField(max_length=8), default=list)
    channels = ArrayField(
        models.CharField(max_length=16), default=list, db_default=[]
    )  # none named: all of them
    capacity = models.IntegerField(default=10, validators=[MinValueValidator(0)])
    is_senior = models.BooleanField(default=False)
    is_available = models.BooleanField(default=True)
    zone = models.CharField(max_length=64, default="Europe/Stockholm")
    last_assigned_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="people_agent_public"),
            models.UniqueConstraint("tenant", Lower("email"), name="people_agent_email"),
            models.UniqueConstraint(fields=["tenant", "user"], name="people_agent_user"),
        ]

    def __str__(self) -> str:
        return self.name


class Absence(TenantModel):
    """A stretch in which an agent is out of office; whoever stands in gets what was meant for them (F-RTE-12)."""

    public_id = models.UUIDField()
    agent = TenantKey(Agent, models.CASCADE)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)  # empty: until further notice
    substitute = TenantKey(Agent, models.SET_NULL, null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="people_absence_public"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=models.F("starts_at")),
                name="people_absence_order",
            ),
            models.CheckConstraint(
                condition=Q(substitute__isnull=True) | ~Q(substitute=models.F("agent")),
                name="people_absence_other",
            ),
        ]
        indexes = [models.Index("tenant", "agent", "starts_at", name="people_absence_agent")]

    def __str__(self) -> str:
        return f"{self.agent_id} away from {self.starts_at}"


class Team(TenantModel):
    """A group of agents; `level` is its depth of support, 0 for specialists beside the levels (F-RTE-01, 02)."""

    public_id = models.UUIDField()
    slug = models.SlugField()
    name = models.CharField(max_length=200)
    level = models.SmallIntegerField(default=0)
    lead = TenantKey(Agent, models.SET_NULL, null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="people_team_public"),
            models.UniqueConstraint(fields=["tenant", "slug"], name="people_team_slug"),
        ]

    def __str__(self) -> str:
        return self.name


class TeamMember(TenantModel):
    team = TenantKey(Team, models.CASCADE)
    agent = TenantKey(Agent, models.CASCADE)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "team", "agent"], name="people_member_once")]

    def __str__(self) -> str:
        return f"{self.agent_id} in {self.team_id}"


class ShiftKind(models.TextChoices):
    WORK = "work"
    ON_CALL = "on_call"


class Shift(TenantModel):
    """A weekly stretch of duty in the agent's own zone; `ends` at or before `starts` runs past midnight."""

    agent = TenantKey(Agent, models.CASCADE)
    team = TenantKey(Team, models.CASCADE, null=True)
    kind = models.CharField(max_length=8, choices=ShiftKind.choices, default=ShiftKind.WORK)
    weekdays = ArrayField(models.SmallIntegerField())  # 0 is Monday
    starts = models.TimeField()
    ends = models.TimeField()
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "agent"], name="people_shift_agent")]

    def __str__(self) -> str:
        return f"{self.kind} {self.starts}-{self.ends}"


class Post(TenantModel):
    """An office somebody holds, such as support_manager or ciso; a vacant one falls to the next above."""

    slug = models.SlugField()
    name = models.CharField(max_length=200)
    holder = TenantKey(Agent, models.SET_NULL, null=True)
    falls_to = TenantKey("self", models.SET_NULL, null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "slug"], name="people_post_slug")]

    def __str__(self) -> str:
        return self.name
