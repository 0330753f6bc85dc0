"""The way in: who are you, and the other doors a deployment may have."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from flowdesk.web.parts import Field, Form, Kind, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginPage:
    """Log in with a password, or through another door."""

    form: Form
    forgot_href: str = ""
    others: tuple[Link, ...] = ()  # single sign-on, passkey


def login_form(href: str, *, next_href: str = "") -> Form:
    """Name and password; the field names are those of allauth's form."""
    return Form(
        id="login",
        href=href,
        submit=_("Log in"),
        fields=(
            Field(
                name="login",
                label=_("Email"),
                autocomplete="username",
                is_required=True,
            ),
            Field(
                name="password",
                label=_("Password"),
                kind=Kind.PASSWORD,
                autocomplete="current-password",
                is_required=True,
            ),
            Field(name="remember", label=_("Stay logged in on this machine"), kind=Kind.CHECK),
        ),
        hidden=(("next", next_href),) if next_href else (),
    )
