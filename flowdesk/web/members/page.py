"""The members of a desk, as values."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from flowdesk.accounts.models import MEMBER_ROLES
from flowdesk.core.actor import Role
from flowdesk.web.parts import Choice, Face, Field, Form, Kind
from flowdesk.web.vocabulary import ROLES, say


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLine:
    """One person who may come in, or could once."""

    id: int
    face: Face
    email: str
    role: str
    standing: str = ""  # invited, disabled, or empty
    seen_at: str = ""  # ISO 8601
    seen_when: str = ""
    deeds: tuple[Form, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersPage:
    """Everybody, and the form that invites somebody else; `link` is shown once, after an invitation."""

    members: tuple[MemberLine, ...]
    invite: Form
    link: str = ""
    link_words: str = ""


def invite_form(href: str, *, may_make_admins: bool) -> Form:
    """Who shall come in, and as what."""
    roles = [role for role in MEMBER_ROLES if may_make_admins or role != Role.ADMIN]
    return Form(
        id="invite",
        href=href,
        submit=_("Invite"),
        hint=_(
            "They are sent a link with which they choose their password. It works once, within three days."
        ),
        fields=(
            Field(name="name", label=_("Name"), is_required=True, max_length=200),
            Field(name="email", label=_("Email"), kind=Kind.EMAIL, is_required=True, max_length=254),
            Field(
                name="role",
                label=_("Role"),
                kind=Kind.SELECT,
                choices=tuple(Choice(value=role.value, words=say(ROLES, role.value)) for role in roles),
            ),
        ),
    )


def deed_form(deed: str, words: str, *, user_id: int, href: str) -> Form:
    """One act on a member, which asks nothing."""
    return Form(
        id=f"{deed}-{user_id}", href=href, submit=words, hidden=(("deed", deed), ("user", str(user_id)))
    )
