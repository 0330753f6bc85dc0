"""The ways in and the account page, as values."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from flowdesk.web.parts import Choice, Field, Form, Kind, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginPage:
    """Log in with a password, or through another door."""

    form: Form
    forgot_href: str = ""
    others: tuple[Link, ...] = ()  # single sign-on, passkey


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage:
    """One step on the way to a new password: a form, or what came of it."""

    title: str
    words: str = ""
    form: Form | None = None
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """One log-in; `end` is the form that ends it, None for the one that asks."""

    device: str
    address: str
    started_at: str  # ISO 8601
    started_when: str
    seen_at: str
    seen_when: str
    end: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """What a person decides about themselves."""

    email: str
    profile: Form
    password: Form | None  # None where it cannot be changed; `password_words` say why
    password_words: str = ""
    sessions: tuple[SessionLine, ...] = ()
    end_others: Form | None = None


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
            _password("password", _("Password"), autocomplete="current-password"),
            Field(name="remember", label=_("Stay logged in on this machine"), kind=Kind.CHECK),
        ),
        hidden=(("next", next_href),) if next_href else (),
    )


def lost_password_form(href: str) -> Form:
    """To whom a link shall be sent."""
    email = Field(
        name="email",
        label=_("Email"),
        kind=Kind.EMAIL,
        autocomplete="username",
        is_required=True,
        max_length=254,
    )
    return Form(id="lost-password", href=href, submit=_("Send a link"), fields=(email,))


def new_password_form(href: str, *, link: str, rules: Sequence[str]) -> Form:
    """The password that a link lets its holder choose."""
    new = _password("new", _("New password"), hint=" ".join(rules))
    return Form(
        id="new-password", href=href, submit=_("Keep this password"), fields=(new,), hidden=(("link", link),)
    )


def password_form(href: str, *, rules: Sequence[str]) -> Form:
    """Change one's password; the present one is asked for."""
    return Form(
        id="password",
        href=href,
        submit=_("Change password"),
        hint=_("Every other log-in of yours ends with it."),
        fields=(
            _password("old", _("Present password"), autocomplete="current-password"),
            _password("new", _("New password"), hint=" ".join(rules)),
        ),
    )


def profile_form(
    href: str, *, values: dict[str, str], languages: Sequence[tuple[str, str]], zone_hint: str
) -> Form:
    """Name, language, zone, theme and keys."""
    own = Choice(value="", words=_("As the desk"))
    form = Form(
        id="profile",
        href=href,
        submit=_("Save"),
        fields=(
            Field(name="name", label=_("Name"), autocomplete="name", is_required=True, max_length=200),
            Field(
                name="language",
                label=_("Language"),
                kind=Kind.SELECT,
                choices=(own, *(Choice(value=code, words=said) for code, said in languages)),
            ),
            Field(name="zone", label=_("Time zone"), hint=zone_hint, max_length=64),
            Field(
                name="theme",
                label=_("Theme"),
                kind=Kind.SELECT,
                choices=(
                    Choice(value="", words=_("System")),
                    Choice(value="light", words=_("Light")),
                    Choice(value="dark", words=_("Dark")),
                ),
            ),
            Field(name="keys", label=_("Keys are on"), kind=Kind.CHECK),
        ),
    )
    return form.answered(values, {})


def end_session_form(href: str, *, called: str) -> Form:
    """End one log-in."""
    return Form(id=f"end-{called}", href=href, submit=_("End"), hidden=(("session", called),))


def end_others_form(href: str) -> Form:
    """End all log-ins but this one."""
    return Form(id="end-others", href=href, submit=_("End all others"), hidden=(("session", "others"),))


def _password(name: str, label: str, *, hint: str = "", autocomplete: str = "new-password") -> Field:
    return Field(
        name=name,
        label=label,
        kind=Kind.PASSWORD,
        hint=hint,
        autocomplete=autocomplete,
        is_required=True,
        max_length=1000,
    )
