"""One address says how mail goes out."""

import pytest

from flowdesk.config.mail import OUTBOX, SMTP, BadMailAddress, mail_settings


def test_without_an_address_mail_is_kept() -> None:
    assert mail_settings("") == {"EMAIL_BACKEND": OUTBOX}


def test_a_whole_address_is_taken_apart() -> None:
    found = mail_settings("smtp://desk%40a.se:p%3Ass@mail.a.se:2525?starttls")

    assert found["EMAIL_BACKEND"] == SMTP
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.a.se", 2525)
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("desk@a.se", "p:ss")
    assert found["EMAIL_USE_TLS"]
    assert not found["EMAIL_USE_SSL"]


@pytest.mark.parametrize(
    ("url", "port"),
    [("smtp://h", 25), ("smtps://h", 465), ("smtp://h?starttls", 587), ("smtp://h?starttls=1", 587)],
)
def test_each_way_has_its_port(url: str, port: int) -> None:
    assert mail_settings(url)["EMAIL_PORT"] == port


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("mail.a.se", "must begin with"),
        ("http://h", "must begin with"),
        ("smtp://", "names no host"),
        ("smtp://h?tls", "unknown option"),
        ("smtps://h?starttls", "choose one"),
        ("smtp://h:99999", "port"),
        ("smtp://h:mail", "port"),
    ],
)
def test_a_bad_address_is_told_with_its_fault(url: str, fault: str) -> None:
    with pytest.raises(BadMailAddress, match=fault):
        mail_settings(url)
