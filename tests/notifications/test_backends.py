"""Mail is kept until a server is named; invented addresses never leave the house."""

from email import message_from_bytes
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage

from flowdesk.notifications import backends
from flowdesk.notifications.backends import INVENTED, KEPT_INVENTED, OutboxBackend, SmtpBackend, is_invented


@pytest.fixture
def outbox(tmp_path: Path, settings: Any) -> Path:
    settings.MAIL_OUTBOX = tmp_path / "outbox"
    return tmp_path / "outbox"


def a_mail(to: str) -> EmailMessage:
    return EmailMessage("Subject å", "Words", "desk@a.se", [to])


@pytest.mark.parametrize(
    "address",
    ["a@b.invalid", "A <a@demo.flowdesk.INVALID>", "a@example.com", "a@x.example", "a@localhost", "a@y.test"],
)
def test_reserved_domains_are_invented(address: str) -> None:
    assert is_invented([address])


@pytest.mark.parametrize("address", ["a@a.se", "a@invalid.se", "a@notexample.com", "a@b.invalid.com"])
def test_other_domains_are_real(address: str) -> None:
    assert not is_invented([address])


def test_one_real_recipient_makes_a_mail_real() -> None:
    assert not is_invented(["a@b.invalid", "a@a.se"])


def test_each_mail_is_a_private_file(outbox: Path) -> None:
    sent = OutboxBackend().send_messages([a_mail("maja@a.se"), a_mail("maja@a.se")])

    files = list(outbox.glob("*/*.eml"))
    assert sent == len(files) == 2
    assert message_from_bytes(files[0].read_bytes())["To"] == "maja@a.se"
    assert all(path.stat().st_mode & 0o077 == 0 for path in [outbox, *files])


def test_of_invented_mails_the_latest_are_kept(outbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "KEPT_INVENTED", 5)
    monkeypatch.setattr(backends, "FORGET_EVERY", 2)
    monkeypatch.setattr(backends, "_kept", count())
    for number in range(9):
        OutboxBackend().send_messages([a_mail(f"a{number}@b.invalid")])

    kept = sorted((outbox / INVENTED).glob("*.eml"))
    assert KEPT_INVENTED > 5
    assert [message_from_bytes(path.read_bytes())["To"] for path in kept] == [
        f"a{n}@b.invalid" for n in (5, 6, 7, 8)
    ]


def test_a_server_never_sees_an_invented_address(outbox: Path) -> None:
    # No connection is opened: nobody listens on that port, and none is needed.
    sent = SmtpBackend(host="127.0.0.1", port=1).send_messages([a_mail("a@b.invalid")])

    assert sent == 1
    assert len(list((outbox / INVENTED).glob("*.eml"))) == 1


def test_real_mail_needs_the_server(outbox: Path) -> None:
    with pytest.raises(ConnectionRefusedError):
        SmtpBackend(host="127.0.0.1", port=1).send_messages([a_mail("a@a.se")])

    assert not outbox.exists()
