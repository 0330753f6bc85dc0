"""Who works at a desk: invited, shut out, let in again; and what a person says about themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from flowdesk.accounts import users
from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.accounts.links import password_link
from flowdesk.accounts.models import MEMBER_ROLES, LetterKind, Membership, Session, Tenant, User
from flowdesk.core.actor import Act, Actor, Role
from flowdesk.core.errors import DomainError, Fault, Forbidden, Invalid, NotFound
from flowdesk.core.ids import new_id
from flowdesk.core.tenant import act
from flowdesk.core.text import is_address, one_line
from flowdesk.core.time import known_zones
from flowdesk.notifications.backends import keeps_mail
from flowdesk.people.models import Agent

LONGEST_NAME = 200
THEMES = ("", "light", "dark")


class AlreadyMember(DomainError):
    """This person works here already."""

    code = "already_member"


class OwnMembership(DomainError):
    """Nobody shuts themselves out."""

    code = "own_membership"


class LastAdmin(DomainError):
    """Somebody has to administer the desk: this is the last one who can."""

    code = "last_admin"


@dataclass(frozen=True, slots=True)
class Invited:
    """A new member; `link` is where they choose their password, "" where only the mail may hold it.

    Whoever sees the link could use it, and would hold an account in another person's name. So it is shown only
    for one who has no password and no other desk, and only where mail goes nowhere or this desk is the only one.
    """

    membership: Membership
    link: str


@act
def invite_member(email: str, *, name: str, role: str, by: Actor, now: datetime) -> Invited:
    """Make somebody a member and write to them. Raises Forbidden, AlreadyMember, Invalid naming each bad field.

    Somebody known whose password another desk may have chosen loses it: only the mail lets them in again.
    """
    by.must(Act.CONFIGURE)
    _must_be_usable(email, name=name, role=role)
    _must_reach(Role(role), by=by)
    # Locked: a link that another desk was shown is used before this, and undone here, or is worthless after it.
    user = User.objects.select_for_update().filter(email__iexact=email).first()
    if user is None:
        user = User.objects.create_user(email, None, name=one_line(name))
    elif not user.is_proven:
        users.take_password(user, by=by, now=now)
    membership, is_new = Membership.objects.get_or_create(
        user=user, tenant_id=by.tenant, defaults={"role": role}
    )
    if not is_new:
        raise AlreadyMember
    if role != Role.AUDITOR:
        _seat(user, by=by, now=now)
    record_act(
        AuditAct.MEMBER_INVITED, thing="user", thing_id=user.pk, by=by, at=now, after={"role": str(role)}
    )
    return Invited(membership, _send_link(membership, by=by, now=now))


@act
def send_link(user_id: int, *, by: Actor, now: datetime) -> str:
    """Write to a member how to come in; returns the link as `invite_member` does. Raises NotFound, Forbidden."""
    membership = _member(user_id, by=by)
    users.must_not_be_demo(membership.user)
    record_act(AuditAct.PASSWORD_LINK_MADE, thing="user", thing_id=user_id, by=by, at=now)
    return _send_link(membership, by=by, now=now)


@act
def disable_member(user_id: int, *, by: Actor, now: datetime) -> None:
    """Shut a member out of this tenant from their next request on; their tickets stay theirs until given away.

    Raises NotFound, Forbidden, OwnMembership, LastAdmin.
    """
    membership = _member(user_id, by=by)
    if membership.user_id == by.id:
        raise OwnMembership
    admins = Membership.objects.select_for_update().filter(
        tenant_id=by.tenant, role=Role.ADMIN, disabled_at__isnull=True
    )
    if {one.pk for one in admins} == {membership.pk}:
        raise LastAdmin
    if membership.disabled_at is None:
        membership.disabled_at = now
        membership.save(update_fields=["disabled_at"])
        Agent.objects.filter(user_id=user_id, left_at__isnull=True).update(left_at=now)
        record_act(AuditAct.MEMBER_DISABLED, thing="user", thing_id=user_id, by=by, at=now)


@act
def enable_member(user_id: int, *, by: Actor, now: datetime) -> None:
    """Let a member in again. Raises NotFound, Forbidden."""
    membership = _member(user_id, by=by)
    if membership.disabled_at is not None:
        Agent.objects.filter(user_id=user_id, left_at=membership.disabled_at).update(left_at=None)
        membership.disabled_at = None
        membership.save(update_fields=["disabled_at"])
        record_act(AuditAct.MEMBER_ENABLED, thing="user", thing_id=user_id, by=by, at=now)


@act
def end_member_sessions(user_id: int, *, by: Actor, now: datetime) -> int:
    """End every log-in of a member; returns how many ended. Raises NotFound, Forbidden."""
    user = _member(user_id, by=by).user
    return users.end_sessions(user, Session.objects.filter(user=user), by=by, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a person says about themselves; an empty language or zone is the tenant's."""

    name: str
    language: str
    zone: str
    theme: str
    has_keys: bool


@act
def change_profile(user: User, profile: Profile, *, by: Actor, now: datetime) -> None:
    """Keep what a person says about themselves. Raises Invalid naming each field that cannot be used."""
    name = one_line(profile.name)
    faults = [*_name_faults(name)]
    if profile.language not in ("", *dict(settings.LANGUAGES)):
        faults.append(Fault("language", "is not one of " + ", ".join(dict(settings.LANGUAGES))))
    if profile.zone and profile.zone not in known_zones():
        faults.append(Fault("zone", "is not a time zone such as Europe/Stockholm"))
    if profile.theme not in THEMES:
        faults.append(Fault("theme", "is not one of light, dark"))
    if faults:
        raise Invalid(*faults)
    if name != user.name:
        Agent.objects.filter(user_id=user.pk).update(name=name)
    user.name, user.language, user.zone = name, profile.language, profile.zone
    user.theme, user.keys_off = profile.theme, not profile.has_keys
    user.save(update_fields=["name", "language", "zone", "theme", "keys_off"])
    record_act(AuditAct.PROFILE_CHANGED, thing="user", thing_id=user.pk, by=by, at=now)


def _must_be_usable(email: str, *, name: str, role: str) -> None:
    faults = [*_name_faults(one_line(name))]
    if not is_address(email):
        faults.append(Fault("email", "is not an e-mail address"))
    if role not in MEMBER_ROLES:
        faults.append(Fault("role", "is not one of " + ", ".join(MEMBER_ROLES)))
    if faults:
        raise Invalid(*faults)


def _name_faults(name: str) -> list[Fault]:
    if not name:
        return [Fault("name", "must not be empty")]
    return [Fault("name", f"is longer than {LONGEST_NAME} characters")] if len(name) > LONGEST_NAME else []


def _member(user_id: int, *, by: Actor) -> Membership:
    """The membership in the actor's tenant, locked; raises NotFound for a stranger, Forbidden for one above."""
    by.must(Act.CONFIGURE)
    membership = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(tenant_id=by.tenant, user_id=user_id)
        .first()
    )
    if membership is None:
        raise NotFound
    _must_reach(Role(membership.role), by=by)
    return membership


def _must_reach(role: Role, *, by: Actor) -> None:
    """Only who administers makes, shuts out or lets in somebody who administers."""
    if role == Role.ADMIN and by.role not in (Role.ADMIN, Role.SYSTEM):
        raise Forbidden


def _seat(user: User, *, by: Actor, now: datetime) -> None:
    """The person as an agent, so that tickets can be theirs; one who left comes back."""
    known = Agent.objects.filter(email__iexact=user.email)
    if not known.update(user=user, left_at=None):
        zone = Tenant.objects.values_list("zone", flat=True).get(pk=by.tenant)
        Agent.objects.create(
            tenant_id=by.tenant, public_id=new_id(now), user=user, name=user.name, email=user.email, zone=zone,
            created_at=now,
        )  # fmt: skip


def _send_link(membership: Membership, *, by: Actor, now: datetime) -> str:
    user = membership.user
    if user.has_usable_password():
        users.write_letter(user, LetterKind.WELCOME, now=now, tenant=by.tenant)
        return ""
    users.write_letter(user, LetterKind.INVITE, now=now, tenant=by.tenant)
    others = Tenant.objects.exclude(pk=by.tenant)
    if others.filter(memberships__user=user).exists() or (others.exists() and not keeps_mail()):
        return ""
    return password_link(user, LetterKind.INVITE, is_mailed=False, now=now)
