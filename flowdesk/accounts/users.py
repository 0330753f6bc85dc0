"""People and their log-ins: coming and going, passwords, sessions; each act with its line in the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet

from flowdesk.accounts import sql
from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.accounts.links import is_mailed, user_of_link
from flowdesk.accounts.models import Letter, LetterKind, Membership, Session, User
from flowdesk.accounts.sessions import handle
from flowdesk.accounts.throttle import PASSWORD_AGAIN, Bucket, count_attempt, sweep_attempts, take_back
from flowdesk.core.actor import Act, Actor, ActorKind, Role
from flowdesk.core.errors import DomainError, Fault, Invalid, NotFound, invalid
from flowdesk.core.tenant import act, writing

LONGEST_PASSWORD = 1000  # characters: a hash of a megabyte is somebody's joke


class DemoPassword(DomainError):
    """A demo's passwords are printed for everybody and stay as they are."""

    code = "demo_password"


def actors_of(user: User) -> Iterator[Actor]:
    """The person in each tenant they may enter; what they do outside of any is noted in all of these."""
    for one in Membership.objects.filter(user=user, disabled_at__isnull=True).order_by("tenant_id"):
        yield Actor(
            tenant=one.tenant_id, role=Role(one.role), kind=ActorKind.USER, id=user.pk, name=user.name
        )


def note_access(what: AuditAct, user: User, *, now: datetime) -> None:
    """Audit a log-in, a failed one, a lockout or a log-out in every tenant of the person."""
    for actor in actors_of(user):
        with writing(actor.tenant):
            record_act(what, thing="user", thing_id=user.pk, by=actor, at=now)


def note_refused(what: AuditAct, email: str, *, now: datetime) -> None:
    """The same where a password was wrong; an address that nobody has leaves no entry: there is no tenant to tell."""
    user = User.objects.filter(email__iexact=email).first()
    if user is not None:
        note_access(what, user, now=now)


def sessions_of(user: User, *, now: datetime) -> QuerySet[Session]:
    """The log-ins that still open, last seen first."""
    return Session.objects.filter(user=user, expire_date__gt=now).order_by("-seen_at")


def sweep_access(*, now: datetime) -> None:
    """Forget log-ins that have ended and attempts that count no more."""
    Session.objects.filter(expire_date__lte=now).delete()
    sweep_attempts(now=now)


@act
def end_session(user: User, *, called: str, by: Actor, now: datetime) -> None:
    """End one log-in of the person, by its handle. Raises NotFound."""
    keys = [one.pk for one in sessions_of(user, now=now) if handle(one.pk) == called]
    if not keys:
        raise NotFound
    end_sessions(user, Session.objects.filter(pk__in=keys), by=by, now=now)


@act
def end_other_sessions(user: User, *, kept: str, by: Actor, now: datetime) -> int:
    """End every log-in of the person but the one with this key; returns how many ended."""
    return end_sessions(user, Session.objects.filter(user=user).exclude(pk=kept), by=by, now=now)


def end_sessions(user: User, sessions: QuerySet[Session], *, by: Actor, now: datetime) -> int:
    """End these log-ins, inside an act; returns how many ended."""
    ended, _ = sessions.delete()
    if ended:
        record_act(
            AuditAct.SESSION_ENDED, thing="user", thing_id=user.pk, by=by, at=now, after={"count": ended}
        )
    return ended


def change_password(user: User, *, old: str, new: str, kept: str, by: Actor, now: datetime) -> None:
    """Change one's own password, and end every log-in but the one with the key `kept`.

    Raises DemoPassword, TooManyAttempts for guesses at the old one, and Invalid naming `old` or `new`.
    """
    must_not_be_demo(user)
    guesses = [Bucket(PASSWORD_AGAIN, str(user.pk))]
    count_attempt(guesses, now=now)  # before the act: a wrong guess stays counted
    if not user.check_password(old[:LONGEST_PASSWORD]):
        raise invalid("old", "is not your present password")
    take_back(guesses)
    must_be_strong(new, user, field="new")
    _replace_password(user, new, kept=kept, by=by, now=now)


@act
def _replace_password(user: User, new: str, *, kept: str, by: Actor, now: datetime) -> None:
    _set_password(user, new, is_proven=user.is_proven)
    end_sessions(user, Session.objects.filter(user=user).exclude(pk=kept), by=by, now=now)
    record_act(AuditAct.PASSWORD_CHANGED, thing="user", thing_id=user.pk, by=by, at=now)
    write_letter(user, LetterKind.CHANGED, now=now)


def choose_password(token: str, *, new: str, now: datetime) -> User:
    """Set the password of whoever was given the link, and end all their log-ins. Raises BadLink, Invalid.

    Of a link that was shown nobody knows who used it: then the person is not proven.
    """
    user = user_of_link(token, now=now)
    must_be_strong(new, user, field="new")
    with transaction.atomic():
        # Locked and asked again: of two who use one link at once, one is too late.
        User.objects.select_for_update().get(pk=user.pk)
        user = user_of_link(token, now=now)
        _set_password(user, new, is_proven=is_mailed(token))
        Session.objects.filter(user=user).delete()
        write_letter(user, LetterKind.CHANGED, now=now)
    note_access(AuditAct.PASSWORD_CHANGED, user, now=now)
    return user


@act
def set_password(user: User, new: str, *, by: Actor, now: datetime) -> None:
    """The operator sets a password and vouches for the person, whose log-ins all end.

    Raises Invalid naming `password`.
    """
    by.must(Act.CONFIGURE)
    must_be_strong(new, user, field="password")
    vouch_for(user, new, by=by, now=now)


def vouch_for(user: User, new: str, *, by: Actor, now: datetime) -> None:
    """Give the person the operator's password, inside an act, and end all their log-ins."""
    _set_password(user, new, is_proven=True)
    end_sessions(user, Session.objects.filter(user=user), by=by, now=now)
    record_act(AuditAct.PASSWORD_CHANGED, thing="user", thing_id=user.pk, by=by, at=now)


def take_password(user: User, *, by: Actor, now: datetime) -> None:
    """Leave the person without a password, links or log-ins, inside an act: only a mailed link lets them in again."""
    _set_password(user, None, is_proven=False)
    end_sessions(user, Session.objects.filter(user=user), by=by, now=now)


def ask_for_link(email: str, *, now: datetime) -> None:
    """Have a link for a new password mailed, if there is such a person; nothing tells the asker whether."""
    with connection.cursor() as cursor:
        cursor.execute(sql.ASK_FOR_LINK, {"email": email, "now": now})


def write_letter(user: User, kind: LetterKind, *, now: datetime, tenant: int | None = None) -> None:
    """Have a mail sent to the person."""
    Letter.objects.create(user=user, tenant_id=tenant, kind=kind, created_at=now, due_at=now)


def must_not_be_demo(user: User) -> None:
    """Raise DemoPassword for one of a demo's people."""
    if Membership.objects.filter(user=user, tenant__is_demo=True).exists():
        raise DemoPassword


def must_be_strong(password: str, user: User, *, field: str) -> None:
    """Raise Invalid with what is wrong with a new password, in the reader's language."""
    faults = []
    if "\x00" in password:
        faults.append(Fault(field, "holds a null character"))
    if len(password) > LONGEST_PASSWORD:
        faults.append(Fault(field, f"is longer than {LONGEST_PASSWORD} characters"))
    try:
        validate_password(password[:LONGEST_PASSWORD], user)
    except ValidationError as error:
        faults += [Fault(field, said) for said in error.messages]
    if faults:
        raise Invalid(*faults)


def _set_password(user: User, new: str | None, *, is_proven: bool) -> None:
    user.set_password(new)  # None: no password opens, and the print that links hold is another
    user.is_proven = is_proven
    user.save(update_fields=["password", "is_proven"])
