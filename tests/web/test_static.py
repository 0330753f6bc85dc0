"""Our files reach a browser without DEBUG, once, and small."""

import gzip
import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.templatetags.static import static
from django.test import Client

from flowdesk.web.static_files import plain_name, printed_name
from tests.database import ThrowawayDatabase


def test_a_page_links_the_print_of_a_file() -> None:
    address = static("flowdesk/css/base.css")

    assert address.startswith("/static/flowdesk/css/base.")
    assert len(address.split(".")[1]) == 12
    assert plain_name(printed_name("flowdesk/js/flowdesk.js")) == "flowdesk/js/flowdesk.js"
    assert plain_name("flowdesk/css/base.css") == "flowdesk/css/base.css"
    assert printed_name("flowdesk/nothing.css") == "flowdesk/nothing.css"


def test_a_printed_file_is_kept_for_good_and_a_plain_one_is_asked_for_again() -> None:
    printed, plain = Client().get(static("flowdesk/sprite.svg")), Client().get("/static/flowdesk/sprite.svg")

    assert "immutable" in printed["Cache-Control"]
    assert "immutable" not in plain["Cache-Control"]
    assert printed.getvalue() == plain.getvalue()
    assert "Access-Control-Allow-Origin" not in printed


def test_a_file_travels_small() -> None:
    answer = Client().get(static("flowdesk/css/components.css"), headers={"Accept-Encoding": "gzip"})

    assert answer["Content-Encoding"] == "gzip"
    assert answer["Content-Type"].startswith("text/css")
    assert b".composer" in gzip.decompress(answer.getvalue())


@pytest.mark.parametrize("path", ["../settings.py", "flowdesk/", "flowdesk/css/base.000000000000.css"])
def test_nothing_else_is_served(path: str) -> None:
    assert Client().get(f"/static/{path}").status_code == 404


def test_the_real_server_serves_them(migrated_database: ThrowawayDatabase) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    roles = migrated_database.roles
    environment = {
        **os.environ,
        "FLOWDESK_APP_DSN": roles["app"],
        "FLOWDESK_OWNER_DSN": roles["owner"],
        "FLOWDESK_WORKER_DSN": roles["worker"],
        "FLOWDESK_SECRET_KEY": "only for this test",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "flowdesk", "web", "--port", str(port), "--workers", "1"],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        page = _asked(port, "/login")
        assert b"<h1>Log in</h1>" in gzip.decompress(page[1])
        style = _asked(port, static("flowdesk/css/tokens.css"))
        assert style[0]["content-type"].startswith("text/css")
        assert "immutable" in style[0]["cache-control"]
        assert b"color-scheme" in gzip.decompress(style[1])
    finally:
        server.terminate()
        server.wait(10)


def _asked(port: int, path: str) -> tuple[dict[str, str], bytes]:
    """An answer of the server, which may still be starting."""
    for _round in range(100):
        line = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            line.request("GET", path, headers={"Accept-Encoding": "gzip"})
            answer = line.getresponse()
            assert answer.status == 200, path
            return {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        except ConnectionError:
            time.sleep(0.1)
        finally:
            line.close()
    raise AssertionError("the server did not start")
