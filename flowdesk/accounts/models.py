"""Tables of accounts. Users, memberships and key hashes are looked up before a tenant is known: no row security."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from flowdesk.accounts.tenancy import TenantModel
from flowdesk.core.actor import ActorKind, Role
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

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "at"], name="accounts_audit_time")]

    def __str__(self) -> str:
        return f"{self.act} {self.thing} {self.thing_id}"
