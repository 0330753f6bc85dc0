"""How connection strings become Django's databases."""

import pytest

from flowdesk.config.settings import database

STANDBY = (
    "postgresql://app:secret@one.internal:5432,two.internal:5433/desk"
    "?target_session_attrs=read-write&connect_timeout=2&options=-c%20work_mem%3D8MB"
)


@pytest.fixture
def with_standby(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWDESK_APP_DSN", STANDBY)


@pytest.mark.usefixtures("with_standby")
def test_an_address_may_name_several_hosts() -> None:
    given = database("FLOWDESK_APP_DSN")

    assert (given["HOST"], given["PORT"]) == ("one.internal,two.internal", "5432,5433")
    assert (given["NAME"], given["USER"], given["PASSWORD"]) == ("desk", "app", "secret")
    assert given["OPTIONS"]["target_session_attrs"] == "read-write"


@pytest.mark.usefixtures("with_standby")
def test_what_the_address_says_goes_before_our_limits() -> None:
    options = database("FLOWDESK_APP_DSN")["OPTIONS"]

    assert options["connect_timeout"] == "2"
    assert options["tcp_user_timeout"] == 15_000
    assert options["options"].endswith("-c work_mem=8MB")


def test_migrations_may_take_their_time() -> None:
    owner, app = database("FLOWDESK_OWNER_DSN", is_patient=True), database("FLOWDESK_APP_DSN")

    assert owner["ANSWER_WITHIN"] is None
    assert app["ANSWER_WITHIN"] > 0
    assert "idle_in_transaction_session_timeout" not in owner["OPTIONS"]["options"]
    assert "idle_in_transaction_session_timeout" in app["OPTIONS"]["options"]


@pytest.mark.parametrize(("said", "seconds"), [("", 30), ("2.5", 2.5), ("0", None), ("0.0", None)])
def test_no_time_at_all_means_no_limit(
    monkeypatch: pytest.MonkeyPatch, said: str, seconds: float | None
) -> None:
    monkeypatch.setenv("FLOWDESK_DATABASE_TIMEOUT", said)

    assert database("FLOWDESK_APP_DSN")["ANSWER_WITHIN"] == seconds
