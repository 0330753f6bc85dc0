"""The queue of coarse jobs, worked off one at a time beside the sweep.

The worker asks for jobs; nothing notifies it, because notices would make every commit that queues a job wait for the
others. A job whose worker died is taken up again: each is made so that it can be.
"""

import asyncio
import logging
import threading
from contextlib import suppress
from uuid import UUID

from django.db import connections
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import JobAborted
from procrastinate.psycopg_connector import PsycopgConnector

from flowdesk.core.actor import Actor, ActorKind, Role, system
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.flows import learn
from flowdesk.flows.import_tickets import JOB, import_tickets
from flowdesk.intake.bulk.runs import Overtaken, RunEnded, StoredFile, end_run, run_by
from flowdesk.intake.bulk.states import OPEN

log = logging.getLogger("flowdesk.worker")
ASKS_EVERY = 1.0  # seconds between two looks for a job
ATTEMPTS = 10
HEARTBEAT, DEAD_AFTER = 5.0, 30.0  # seconds

# A job whose workers died too often is given up by the queue, and its run would be open for ever.
WITHOUT_JOB = """
select tenant_id as tenant, public_id::text as run from intake_importrun
where is_stored and state = any(%(open)s) and not exists (
    select from procrastinate_jobs
    where task_name = %(job)s and status in ('todo', 'doing') and args ->> 'run' = public_id::text
)
"""


def work_off(stop: threading.Event) -> int:
    """Work until `stop` is set; always 0. Raises what breaks the queue, such as a lost database."""
    asyncio.run(_work_off(stop))
    return 0


async def _work_off(stop: threading.Event) -> None:
    # As the worker role, which may see the jobs of every tenant; a job itself runs as the app, in its tenant.
    connector = PsycopgConnector(kwargs=connector_params("worker"), min_size=1, max_size=2)
    queue = app.with_connector(connector)
    async with queue.open_async():
        working = asyncio.create_task(
            queue.run_worker_async(
                listen_notify=False,
                install_signal_handlers=False,
                fetch_job_polling_interval=ASKS_EVERY,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=DEAD_AFTER,
                shutdown_graceful_timeout=0,
                delete_jobs="always",  # what became of an import stands in its own run
            )
        )
        while not stop.is_set() and not working.done():
            await asyncio.sleep(0.2)
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


@app.periodic(cron="* * * * *")
@app.task(name="take_up_stalled", queueing_lock="take_up_stalled", pass_context=True)
async def take_up_stalled(context: JobContext, timestamp: int) -> None:
    """Give jobs whose worker died to a living one, and imports that have no job any more a new one."""
    for job in await context.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER):
        await context.app.job_manager.retry_job(job)
    states = [state.value for state in OPEN]
    for left in await context.app.connector.execute_query_all_async(WITHOUT_JOB, open=states, job=JOB):
        log.warning("import_queued_again", extra=left)
        await context.app.configure_task(JOB).defer_async(**left)


@app.task(name=JOB, retry=RetryStrategy(max_attempts=ATTEMPTS, linear_wait=5), pass_context=True)
def import_stored(context: JobContext, *, tenant: int, run: str) -> None:
    """Import a file that was sent to us; what it writes is written as the one who sent it."""
    try:
        _import_stored(context, tenant=tenant, run=UUID(run))
    finally:
        connections.close_all()  # jobs are rare: their thread holds no connection between them


def _import_stored(context: JobContext, *, tenant: int, run: UUID) -> None:
    with reading(tenant):
        found = run_by(run)
    by = Actor(
        tenant=tenant, role=Role.SYSTEM, kind=ActorKind(found.actor_kind), id=found.actor_id, name="import"
    )
    try:
        left = import_tickets(
            found, StoredFile(found), by=by, clock=now, reopens=False, is_called_off=context.should_abort
        )
    except (RunEnded, Overtaken) as fault:
        log.info("import_left", extra={"tenant": tenant, "run": str(run), "why": fault.code})
        return
    except Exception:
        if context.job.attempts < ATTEMPTS:
            raise  # taken up again a little later, from the row it had come to
        log.exception("import_failed", extra={"tenant": tenant, "run": str(run)})
        end_run(run, by=by, now=now(), fault="The import broke off on our side; it has been logged.")
        return
    if left.is_open:
        raise JobAborted  # the worker is asked to stop: the next one carries it on


@app.task(name=learn.JOB, retry=RetryStrategy(max_attempts=ATTEMPTS, linear_wait=5))
def train_model(*, tenant: int, model: str) -> None:
    """Train a model on a tenant's own tickets; one that was cut off is trained anew."""
    try:
        learn.train(model, by=system(tenant, name="learning"), clock=now)
    finally:
        connections.close_all()
