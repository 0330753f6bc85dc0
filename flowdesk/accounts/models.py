"""Tables of accounts. Users, memberships and key hashes are looked up before a tenant is known: no row security."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower

from flowdesk.accounts.tenancy import TenantModel
from flowdesk.core.actor import ActorKind, Role
from flowdesk.core.models import TenantKey
from flowdesk.core.time import now

# Who can belong to a tenant. The other roles are no person's who logs in: a contact's, a key's, the system's.
MEMBER_ROLES = (Role.AGENT, Role.LEAD, Role.MANAGER, Role.ADMIN, Role.AUDITOR)


class Tenant(models.Model):
    """A company that runs this help desk."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=8, default="en")
    zone = models.CharField(max_length=64, default="Europe/Stockholm")
    mail_from = models.EmailField(default="support@flowdesk.invalid")
    mandatory_contact_email = models.EmailField(
        blank=True, help_text="Where an escalation ends when every post above is vacant."
    )
    is_demo = models.BooleanField(
        default=False, db_default=False, help_text="Invented people and tickets, kept moving by the demo."
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.slug


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """Somebody who can log in; what they may do is in their memberships."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=8, blank=True)
    zone = models.CharField(max_length=64, blank=True)
    theme = models.CharField(max_length=8, blank=True)  # "", "light" or "dark"
    keys_off = models.BooleanField(default=False)
    # The password comes from whoever reads this mailbox, or from the operator: another desk may rely on it.
    is_proven = models.BooleanField(default=False, db_default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="accounts_user_email")]

    def __str__(self) -> str:
        return self.name or self.email


class Membership(models.Model):
    """A user's role in one tenant."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in MEMBER_ROLES])
    # Shut out of this tenant since then; of others they may be members.
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="accounts_membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in MEMBER_ROLES]),
                name="accounts_membership_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"


class Session(AbstractBaseSession):
    """A log-in, of one person at one browser; its columns repeat what `accounts.sessions` puts into its data."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    address = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=255, blank=True)  # the browser's User-Agent

    class Meta(AbstractBaseSession.Meta):
        abstract = False


class Throttle(models.Model):
    """How often something was tried by one subject in a window; see `accounts.throttle`."""

    bucket = models.BinaryField(primary_key=True, max_length=32)
    count = models.IntegerField()
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["ends_at"], name="accounts_throttle_ends")]

    def __str__(self) -> str:
        return f"{self.count} until {self.ends_at}"


class LetterKind(models.TextChoices):
    INVITE = "invite"  # come in, and choose your password
    WELCOME = "welcome"  # you may come in here too, with the password you have
    RESET = "reset"  # choose a new password
    CHANGED = "changed"  # your password has been changed


class Letter(models.Model):
    """A mail to a person about their account, until it is sent; the link in it is made when it goes out."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, related_name="+")  # who invites
    kind = models.CharField(max_length=8, choices=LetterKind.choices)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()  # next try, or the end of a lease
    attempts = models.SmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="accounts_letter_due")]

    def __str__(self) -> str:
        return f"{self.kind} to {self.user_id}"


class ApiKey(models.Model):
    """A program's key to one tenant. Only its SHA-256 is kept; the key itself is shown once."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=12)
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    limit = models.IntegerField(
        null=True, help_text="Requests in a window of the limit for keys; else as set."
    )

    class Meta:
        indexes = [models.Index(fields=["tenant", "name"], name="accounts_apikey_tenant")]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"


class AuditEntry(TenantModel):
    """Who did what to which row: ids and enumerations, never text or addresses. Append-only."""

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in ActorKind])
    actor_id = models.BigIntegerField(null=True)
    act = models.CharField(max_length=64)
    thing = models.CharField(max_length=32)
    thing_id = models.BigIntegerField(null=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    sealed_at = models.DateTimeField(null=True)  # when the worker sealed it; nothing else ever changes

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "at"], name="accounts_audit_time"),
            models.Index(
                fields=["id"], condition=models.Q(sealed_at__isnull=True), name="accounts_audit_unsealed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.thing} {self.thing_id}"


class AuditSeal(TenantModel):
    """An entry's place in its tenant's chain: the hash over the seal before it and the entry. Append-only."""

    entry = TenantKey(AuditEntry)
    number = models.BigIntegerField()  # 1, 2, 3 … in each tenant
    digest = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="accounts_seal_number"),
            models.UniqueConstraint(fields=["tenant", "entry"], name="accounts_seal_entry"),
        ]

    def __str__(self) -> str:
        return f"seal {self.number}"


class KeptAnswer(TenantModel):
    """What a request with an `Idempotency-Key` did, committed with it, and what it was answered.

    `result` is what the act returned; `status` is empty until the answer has been made from it.
    """

    api_key = models.BigIntegerField()  # the row id of the key that asked
    key = models.CharField(max_length=255)
    request = models.BinaryField(max_length=32)  # SHA-256 of method, address and body
    at = models.DateTimeField()
    result = models.JSONField(null=True)
    status = models.SmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "api_key", "key"], name="accounts_answer_once")
        ]
        indexes = [models.Index(fields=["at"], name="accounts_answer_age")]

    def __str__(self) -> str:
        return f"{self.api_key} {self.key}"


class Quota(models.Model):
    """How much of a limit has been given out in its latest window, over all processes. Not logged: a crash frees all.

    `name` is a key's or a tenant's row id, or an address behind a keyed hash; it is read before a tenant is known.
    """

    name = models.CharField(max_length=64, primary_key=True)
    turn = models.BigIntegerField()  # the number of that window since 1970
    taken = models.IntegerField()
    granted = models.IntegerField()  # to the process that asked last
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["ends_at"], name="accounts_quota_age")]

    def __str__(self) -> str:
        return f"{self.name} {self.taken}"
