"""Files of tickets sent to the API, imported by the worker's queue."""

from __future__ import annotations

import gzip
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from procrastinate.contrib.django.models import ProcrastinateJob

from flowdesk.core.jobs import enqueue
from flowdesk.core.tenant import reading
from flowdesk.intake.bulk.runs import PART, RunEnded, StoredFile
from flowdesk.intake.models import ImportPart, ImportRun
from flowdesk.tickets.models import Ticket
from flowdesk.worker.jobs.queue import work_off
from tests.api.desk import ROOT, Desk, a_desk, fields, good, refused
from tests.builders import a_world
from tests.flows.test_import_tickets import CLOSED, a_file, a_row

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
JSONL = "application/x-ndjson"


def sent(desk: Desk, data: bytes, *, kind: str = JSONL, **query: Any) -> Any:
    return good(desk.raw("POST", "/imports", data, kind=kind, query=query))


def work_off_queue() -> None:
    """Let the worker's queue do what is in it, then stop it."""
    stop, waiting = threading.Event(), threading.Event()
    thread = threading.Thread(target=work_off, args=(stop,))
    thread.start()
    # At a full minute the worker hands itself a job of its own, which need not be done before it stops.
    left = ProcrastinateJob.objects.exclude(task_name="take_up_stalled")
    for _ in range(200):
        if not thread.is_alive() or not ProcrastinateJob.objects.exists():
            break
        waiting.wait(0.05)
    stop.set()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert not left.exists()


def test_a_file_is_stored_and_imported_by_the_worker() -> None:
    desk = a_desk()
    answer = sent(desk, a_file(a_row(**CLOSED), a_row(external_ref="A-2", priority="soon")), name="old.jsonl")

    assert (answer["state"], answer["rows"], answer["name"]) == ("queued", 0, "old.jsonl")
    work_off_queue()

    run = desk.get(f"/imports/{answer['id']}")
    assert (run["state"], run["rows"], run["imported"], run["refused"]) == ("done", 2, 1, 1)
    assert (run["share"], run["seconds_left"]) == (1.0, None)
    assert run["first_refused"][0]["line"] == 2
    assert run["first_refused"][0]["errors"][0]["field"] == "priority"
    with reading(desk.world.tenant.id):
        assert not ImportPart.objects.exists()
    assert [one["id"] for one in desk.get("/imports")["items"]] == [run["id"]]


def test_an_import_whose_worker_died_is_taken_up_by_the_next() -> None:
    desk = a_desk()
    answer = sent(desk, a_file(a_row()))
    with connections["worker"].cursor() as cursor:
        cursor.execute(
            "insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 minute') returning id"
        )
        cursor.execute("update procrastinate_jobs set status = 'doing', worker_id = %s", cursor.fetchone())
    enqueue("take_up_stalled", timestamp=0)  # what the worker does each minute
    work_off_queue()

    assert desk.get(f"/imports/{answer['id']}")["state"] == "done"


def test_an_import_whose_job_was_given_up_gets_a_new_one() -> None:
    desk = a_desk()
    answer = sent(desk, a_file(a_row()))
    with connections["worker"].cursor() as cursor:
        cursor.execute("delete from procrastinate_jobs")
    enqueue("take_up_stalled", timestamp=0)  # what the worker does each minute
    work_off_queue()

    run = desk.get(f"/imports/{answer['id']}")
    assert (run["state"], run["imported"]) == ("done", 1)


def test_refused_rows_come_back_as_a_file() -> None:
    desk = a_desk()
    answer = sent(desk, a_file(a_row(tier="gold")))
    work_off_queue()

    report = desk.call("GET", f"/imports/{answer['id']}/refused")
    assert report["Content-Type"] == JSONL
    (line,) = report.getvalue().splitlines()
    assert json.loads(line)["tier"] == "gold"
    assert "tier: is not one of" in json.loads(line)["refused"]


def test_csv_and_gzip_are_taken_too() -> None:
    desk = a_desk()
    data = b"subject,text,email,created_at\nHelp,Please,a@b.example,2026-06-01T09:00:00+02:00\n"
    answer = sent(desk, gzip.compress(data), kind="text/csv")
    work_off_queue()

    assert desk.get(f"/imports/{answer['id']}")["imported"] == 1


def test_a_packed_file_may_not_become_a_huge_one(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_desk()
    data = gzip.compress(a_file(a_row()) + b"\n" * 100_000)
    monkeypatch.setattr(settings, "IMPORT_LIMIT", 1_000)
    answer = sent(desk, data)
    work_off_queue()

    run = desk.get(f"/imports/{answer['id']}")
    assert (run["state"], run["rows"]) == ("failed", 0)
    assert "more than 20000 bytes when unpacked" in run["fault"]


def test_a_dry_run_writes_nothing() -> None:
    desk = a_desk()
    answer = sent(desk, a_file(a_row()), dry_run="true")
    work_off_queue()

    assert desk.get(f"/imports/{answer['id']}")["imported"] == 1
    with reading(desk.world.tenant.id):
        assert not Ticket.objects.exists()


def test_the_same_file_answers_with_its_first_import() -> None:
    desk = a_desk()
    first = sent(desk, a_file(a_row()))
    work_off_queue()

    assert sent(desk, a_file(a_row()))["id"] == first["id"]
    assert sent(desk, a_file(a_row()), again="true")["id"] != first["id"]


def test_an_import_can_be_called_off_before_it_begins() -> None:
    desk = a_desk()
    answer = sent(desk, a_file(a_row()))

    assert desk.post(f"/imports/{answer['id']}/cancel")["state"] == "cancelled"
    work_off_queue()
    run = desk.get(f"/imports/{answer['id']}")
    assert (run["state"], run["fault"], run["rows"]) == ("cancelled", "", 0)
    with reading(desk.world.tenant.id):
        assert not Ticket.objects.exists()
    refused(desk.call("POST", f"/imports/{answer['id']}/cancel", {}), 409)


def test_an_import_that_is_called_off_while_its_file_is_read_stays_so() -> None:
    desk = a_desk()
    answer = sent(
        desk, a_file(a_row(text="long " * 10_000), *(a_row(external_ref=str(n)) for n in range(9_000)))
    )
    with reading(desk.world.tenant.id):
        source = StoredFile(ImportRun.objects.get())
    assert source.read(PART) != b""
    desk.post(f"/imports/{answer['id']}/cancel")

    with pytest.raises(RunEnded):
        source.read(PART)
    assert desk.get(f"/imports/{answer['id']}")["state"] == "cancelled"


def test_one_file_sent_twice_at_the_same_moment_is_one_import() -> None:
    desk, crowd = a_desk(), 4
    start, file = Barrier(crowd), a_file(a_row())

    def race(_: int) -> Any:
        start.wait(timeout=30)
        try:
            return sent(Desk(desk.world, desk.key), file)["id"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(crowd) as pool:
        ids = set(pool.map(race, range(crowd)))

    assert len(ids) == 1
    assert len(desk.get("/imports")["items"]) == 1
    work_off_queue()
    assert desk.get("/imports")["items"][0]["imported"] == 1


def test_a_file_of_no_known_kind_is_refused() -> None:
    desk = a_desk()

    assert "text/csv" in refused(desk.raw("POST", "/imports", b"{}"), 400)["detail"]
    assert fields(refused(desk.raw("POST", "/imports", b"{}", kind=JSONL, query={"dry": "yes"}), 422)) == {
        "dry"
    }


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_desk()
    monkeypatch.setattr(settings, "IMPORT_LIMIT", 10)

    assert refused(desk.raw("POST", "/imports", b"x" * 11, kind=JSONL), 413)["code"] == "file_too_large"


def test_an_upload_that_is_cut_off_is_not_taken_for_the_file() -> None:
    desk = a_desk()
    data = a_file(a_row(), a_row(external_ref="A-2"))
    answer = desk.web.generic(
        "POST", f"{ROOT}/imports", data, content_type=JSONL, headers={"Authorization": f"Bearer {desk.key}"},
        **{"wsgi.input": io.BytesIO(data[:-20])},  # type: ignore[arg-type]
    )  # fmt: skip

    assert "ended early" in refused(answer, 400)["detail"]
    assert desk.get("/imports")["items"] == []


def test_an_upload_under_a_key_is_done_once_and_answered_alike() -> None:
    desk = a_desk()
    send = partial(desk.raw, "POST", "/imports", kind=JSONL, more={"Idempotency-Key": "import-1"})
    file = a_file(a_row())
    first = send(file, query={"again": "true"})
    second = send(file, query={"again": "true"})

    assert good(second) == good(first)
    assert (second["Idempotent-Replayed"], second["Location"]) == ("true", first["Location"])
    assert len(desk.get("/imports")["items"]) == 1
    assert (
        refused(send(a_file(a_row(subject="Another")), query={"again": "true"}), 422)["code"] == "key_reused"
    )


def test_a_key_without_the_scope_may_not_import() -> None:
    desk = a_desk(scopes=["read", "open"])

    refused(desk.raw("POST", "/imports", a_file(a_row()), kind=JSONL), 403)


def test_another_tenants_import_is_not_found() -> None:
    desk = a_desk()
    answer = sent(desk, a_file(a_row()))
    stranger = a_desk(a_world("elsewhere"))

    for method, path in (("GET", ""), ("GET", "/refused"), ("POST", "/cancel")):
        body = {} if method == "POST" else None
        refused(stranger.call(method, f"/imports/{answer['id']}{path}", body), 404)


def test_the_queue_sends_no_notices(migrated_database: Any) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select t.tgname from pg_trigger t join pg_proc p on p.oid = t.tgfoid"
            " where t.tgrelid = 'procrastinate_jobs'::regclass and t.tgenabled <> 'D' and p.prosrc like '%pg_notify%'"
        )
        assert cursor.fetchall() == []
