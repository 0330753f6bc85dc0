"""A primary with a synchronous standby, reached by one address with two hosts. Takes about a minute."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from flowdesk.core.embedded.cluster import Cluster
from tests.faults.installation import an_installation, free_port, wait_until
from tests.faults.load import Load
from tests.faults.post import Post, a_post
from tests.faults.servers import NAME, Server, a_server, a_standby_of, url_of
from tests.faults.verdict import settled_verdict

pytestmark = pytest.mark.faults

ANSWER_WITHIN = 3  # seconds


def test_a_standby_takes_over_and_nothing_acknowledged_is_lost() -> None:
    with a_pair() as (primary, standby), an_installed(primary, standby) as (load, post):
        with load.running(clients=4) as ledger:
            wait_until(lambda: len(ledger.acknowledged) > 30, what="the primary takes writes")

            os.kill(primary.pid or 0, signal.SIGKILL)
            lost_at = time.monotonic()
            time.sleep(1.0)  # somebody has to notice
            with psycopg.connect(standby.superuser_conninfo, autocommit=True) as admin:
                admin.execute("select pg_promote()")
            promoted_at = time.monotonic()

            wait_until(lambda: ledger.first_after(promoted_at), what="the standby takes writes")
            before = len(ledger.acknowledged)
            wait_until(lambda: len(ledger.acknowledged) > before + 30, what="the desk goes on")
        verdict = settled_verdict(admin_dsn(standby), ledger, post)

    back_at = ledger.first_after(lost_at) or 0.0
    print(
        f"first write {back_at - promoted_at:.2f} s after the promotion, {back_at - lost_at:.2f} s after the kill"
    )
    assert verdict.faults == {}
    assert ledger.worst == []
    assert back_at - promoted_at < 10


def test_what_the_standby_has_not_confirmed_is_not_acknowledged() -> None:
    with a_pair() as (primary, standby), an_installed(primary, standby) as (load, post):
        with load.running(clients=4) as ledger:
            wait_until(lambda: len(ledger.acknowledged) > 10, what="the primary takes writes")

            standby.stop()
            alone_since = time.monotonic()
            time.sleep(2 * ANSWER_WITHIN)
            while_alone = ledger.first_after(alone_since)
            standby.start()
            back_at = time.monotonic()
            wait_until(lambda: ledger.first_after(back_at), what="it goes on with the standby")
        verdict = settled_verdict(admin_dsn(primary), ledger, post)

    assert while_alone is None
    assert ledger.refused[503] > 0
    assert verdict.faults == {}
    assert ledger.worst == []


@contextmanager
def a_pair() -> Iterator[tuple[Cluster, Cluster]]:
    with a_server() as server, a_standby_of(server.cluster) as standby:
        yield server.cluster, standby


@contextmanager
def an_installed(primary: Cluster, standby: Cluster) -> Iterator[tuple[Load, Post]]:
    """An installation on both by one address, and clients that have yet to begin."""
    both = Server(cluster=primary, url=url_of(primary, standby))
    with a_post(free_port()) as post:
        environment = {
            "FLOWDESK_SMTP_URL": f"smtp://127.0.0.1:{post.port}",
            "FLOWDESK_DATABASE_TIMEOUT": str(ANSWER_WITHIN),
        }
        with an_installation(environment, database=both) as installation:
            keys = installation.furnish("north", "south")
            yield Load(port=installation.port, keys=keys, seed=3, pause=0.3), post


def admin_dsn(cluster: Cluster) -> str:
    return make_conninfo(cluster.superuser_conninfo, dbname=NAME)
