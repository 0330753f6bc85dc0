"""The account page, the members, and the way back for who forgot."""

from flowdesk.web.account.page import (
    AccountPage,
    LinkPage,
    SessionLine,
    end_others_form,
    end_session_form,
    lost_password_form,
    password_form,
    profile_form,
)
from flowdesk.web.members.page import MemberLine, MembersPage, deed_form, invite_form
from flowdesk.web.parts import Link
from tests.web.samples.shell import ADA, BO, INES, iso

RULES = ("Your password must contain at least 12 characters.", "It cannot be a commonly used password.")


def an_account_page() -> AccountPage:
    end = end_session_form("/flow/account/sessions/end", called="a1b2c3")
    return AccountPage(
        email="ada@global.example",
        profile=profile_form(
            "/flow/account/profile",
            values={"name": "Ada Lind", "theme": "dark", "keys": "1"},
            languages=(("en", "English"), ("sv", "Svenska")),
            zone_hint="Such as Europe/Stockholm.",
        ),
        password=password_form("/flow/account/password", rules=RULES),
        sessions=(
            _session("Firefox on Windows", "192.0.2.7"),
            _session("Safari on iPhone", "2001:db8:85a3:8d3:1319:8a2e:370:7348", end),
        ),
        end_others=end_others_form("/flow/account/sessions/end"),
    )


def a_refused_password() -> AccountPage:
    page = an_account_page()
    assert page.password is not None
    refused = page.password.answered({}, {"old": ("This is not your present password.",)})
    return AccountPage(email=page.email, profile=page.profile, password=refused, sessions=page.sessions)


def _session(device: str, address: str, end: object = None) -> SessionLine:
    return SessionLine(
        device=device,
        address=address,
        started_at=iso("08:02"),
        started_when="08:02",
        seen_at=iso("09:41"),
        seen_when="09:41",
        end=end,  # type: ignore[arg-type]
    )


def a_members_page() -> MembersPage:
    href = "/flow/settings/people/act"
    return MembersPage(
        members=(
            MemberLine(
                id=1,
                face=ADA,
                email="ada@global.example",
                role="Admin",
                seen_at=iso("09:41"),
                seen_when="09:41",
            ),
            MemberLine(
                id=2,
                face=BO,
                email="bo@global.example",
                role="Agent",
                seen_at=iso("09:40"),
                seen_when="09:40",
                deeds=(
                    deed_form("disable", "Shut out", user_id=2, href=href),
                    deed_form("end", "End log-ins", user_id=2, href=href),
                ),
            ),
            MemberLine(
                id=3,
                face=INES,
                email="ines@global.example",
                role="Auditor",
                standing="invited",
                seen_when="not yet",
                deeds=(deed_form("send", "Send a link", user_id=3, href=href),),
            ),
        ),
        invite=invite_form("/flow/settings/people", may_make_admins=True),
        link="https://desk.example/password/new?link=" + "eyJ1c2VyIjozLCJ1bnRpbCI6MTc2Mzk4" * 4,
        link_words="Shown only now. The same link is on its way by mail:",
    )


def a_lost_password_page() -> LinkPage:
    form = lost_password_form("/password/lost").answered(
        {"email": "ada"}, {"email": ("This is not an email address.",)}
    )
    return LinkPage(title="Forgotten password", words="We send you a link.", form=form)


def a_bad_link_page() -> LinkPage:
    return LinkPage(
        title="This link does not work",
        words="It has been used, it is too old, or a part of it is missing.",
        links=(Link(words="Send me another one", href="/password/lost"),),
    )
