"""Lines of the log: events with fields, and no way for a value to slip in."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import pytest
from django.db import IntegrityError

from flowdesk.config.logs import JsonLines, TextLines, log_settings, told_fault, without_secrets
from flowdesk.core.trace import trace, traced_fields, tracing
from tests.config.story import captured, lines

OURS = logging.getLogger("flowdesk.test")
THEIRS = logging.getLogger("somelibrary.deep")
SECRET = "hunter2-correct-horse"


def test_a_line_has_time_level_logger_event_and_what_is_being_worked_on() -> None:
    with captured() as log, tracing(request="abc12345", tenant=7):
        OURS.warning("sweep_late", extra={"lag_seconds": 31.5})

    (line,) = lines(log)
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "warning", "logger": "flowdesk.test", "event": "sweep_late", "request": "abc12345", "tenant": 7,
        "lag_seconds": 31.5,
    }  # fmt: skip


def test_what_is_being_worked_on_ends_with_the_work() -> None:
    with tracing(request="outer"):
        with tracing(ticket="tkt_1"):
            assert traced_fields() == {"request": "outer", "ticket": "tkt_1"}
        assert traced_fields() == {"request": "outer"}
    trace(ticket="tkt_2")  # of no work that would end
    assert traced_fields() == {}


def test_a_sentence_of_ours_is_no_event_and_is_not_told() -> None:
    with captured() as log:
        OURS.info(f"opened {SECRET}")

    assert lines(log)[0]["event"] == "event_unnamed"


@pytest.mark.parametrize("args", [(SECRET,), ({"password": SECRET},)])
def test_of_a_librarys_line_the_values_are_left_out(args: tuple[Any, ...]) -> None:
    with captured() as log:
        THEIRS.error("Refused: %s" if isinstance(args[0], str) else "Refused: %(password)s", *args)

    assert lines(log)[0]["event"] == "Refused: …"
    assert SECRET not in log.getvalue()


def test_a_librarys_finished_sentence_is_told_by_its_place_alone() -> None:
    with captured() as log:
        THEIRS.error(f"Invalid header: {SECRET}", extra={"request": SECRET})

    (line,) = lines(log)
    assert line["event"] == "library_message"
    assert line["where"].startswith("test_logs.py:")
    assert SECRET not in log.getvalue()


def test_a_field_that_is_no_plain_value_is_told_by_its_kind() -> None:
    with captured() as log:
        OURS.info("thing_seen", extra={"thing": {"password": SECRET}, "count": 3})

    assert (lines(log)[0]["thing"], lines(log)[0]["count"]) == ("dict", 3)


@pytest.mark.parametrize("form", [JsonLines, TextLines])
def test_a_fault_is_told_without_its_words(form: type[logging.Formatter]) -> None:
    def fails(password: str) -> None:
        try:
            raise ValueError(f"bad value {password}")
        except ValueError as fault:
            raise RuntimeError(f"because of {password}") from fault

    with captured(form) as log:
        try:
            fails(SECRET)
        except RuntimeError:
            OURS.exception("round_failed")

    said = log.getvalue()
    assert "RuntimeError" in said
    assert "ValueError" in said
    assert "test_logs.py" in said
    assert "fails" in said
    assert SECRET not in said
    assert "bad value" not in said


@pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
def test_a_fault_of_the_database_names_the_constraint_and_not_the_row() -> None:
    from flowdesk.accounts.models import User

    User.objects.create_user(f"{SECRET}@x.example", name="Eve")
    with pytest.raises(IntegrityError) as found:
        User.objects.create_user(f"{SECRET}@x.example", name="Eve")

    told = told_fault(found.value)
    assert SECRET in str(found.value)  # it is there to be leaked
    assert (told["sqlstate"], told["table"]) == ("23505", "accounts_user")
    assert told["constraint"]
    assert SECRET not in json.dumps(told)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("smtp://desk:hunter2@mail.example:25", "smtp://…mail.example:25"),
        ("postgresql://a:b:c@/flowdesk?host=/x", "postgresql://…/flowdesk?host=/x"),
        ("host=db password=hunter2 dbname=x", "host=db password=… dbname=x"),
        ('{"password": "hunter2", "x": 1}', '{"password": "…", "x": 1}'),
        ("Authorization: Bearer abcdefgh", "Authorization: …"),
        ("Bearer abcdefgh was sent", "Bearer … was sent"),
        ("key fdk_abc-DEF_123 is unknown", "key fdk_… is unknown"),
        ("mail to maja.lund+x@nordvik.example failed", "mail to … failed"),
        ("FLOWDESK_METRICS_TOKEN=abc", "FLOWDESK_METRICS_TOKEN=…"),
        ("tenant=7 ticket=tkt_01 digest=abcd", "tenant=7 ticket=tkt_01 digest=abcd"),
    ],
)
def test_what_looks_like_a_secret_is_cut_from_the_finished_line(line: str, kept: str) -> None:
    assert without_secrets(line) == kept


def test_a_json_line_that_was_cut_is_json_still() -> None:
    with captured() as log:
        OURS.info(
            "thing_seen", extra={"a": 'password="x', "b": "smtp://u:p\\@h", "c": "token: \\", "d": "åäö\n"}
        )

    assert lines(log)[0]["d"] == "åäö\n"


@pytest.mark.parametrize(("form", "level"), [("xml", "INFO"), ("json", "LOUD")])
def test_a_form_or_level_that_is_not_there_is_refused(form: str, level: str) -> None:
    with pytest.raises(ValueError, match="FLOWDESK_LOG"):
        log_settings(form, level=level)


@pytest.mark.parametrize("where", ["main", "thread"])
def test_a_fault_that_nobody_catches_prints_no_value(where: str) -> None:
    run = {
        "main": "fails()",
        "thread": "import threading; t = threading.Thread(target=fails); t.start(); t.join()",
    }
    program = f"""
import logging.config
from flowdesk.config.logs import log_settings, tell_faults
logging.config.dictConfig(log_settings("json", level="INFO"))
tell_faults()
def fails():
    raise ValueError({SECRET!r})
{run[where]}
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert json.loads(ended.stderr)["event"] == "fault_uncaught"
    assert json.loads(ended.stderr)["fault"]["type"] == "ValueError"
    assert SECRET not in ended.stdout + ended.stderr
