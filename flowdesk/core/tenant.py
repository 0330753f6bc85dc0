"""The two doors to a tenant: `reading` for pages and `@act` for flows. Outside them its rows cannot be asked for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from django.db import connection, transaction

from flowdesk.core.actor import Actor
from flowdesk.core.errors import OutsideTenant, Overtaken

_scope: ContextVar[int | None] = ContextVar("tenant_scope", default=None)

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 10  # of an act that others overtake, before its caller is told

ENTER = "select set_config('app.tenant', %s, true)"
ENTER_READING = "select set_config('app.tenant', %s, true), set_config('transaction_read_only', 'on', true)"


def current_tenant() -> int:
    """The tenant of the open scope; raises OutsideTenant when there is none."""
    tenant = _scope.get()
    if tenant is None:
        raise OutsideTenant
    return tenant


@contextmanager
def _scoped(tenant: int, statement: str) -> Iterator[None]:
    outer = _scope.get()
    token = _scope.set(tenant)
    # A scope inside another transaction is a test's; the setting must not outlive the scope there either.
    nested = len(connection.savepoint_ids) > 0
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, [str(tenant)])
        yield
        # After a fault the savepoint is rolled back, and the setting with it.
        if nested:
            with connection.cursor() as cursor:
                cursor.execute(ENTER, [str(outer or "")])
    finally:
        _scope.reset(token)


@contextmanager
def reading(tenant: int) -> Iterator[None]:
    """One read-only transaction in which the tenant's rows, and no others, are visible."""
    with transaction.atomic(), _scoped(tenant, ENTER_READING):
        yield


@contextmanager
def writing(tenant: int) -> Iterator[None]:
    """The transaction of one act; flows use it through `@act`, batches of the worker directly."""
    with transaction.atomic(durable=True), _scoped(tenant, ENTER):
        yield


def one_at_a_time(subject: str) -> None:
    """Wait until no other act of the open tenant changes this subject; it is held until the act has ended."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, %s))", [subject, current_tenant()])


class Once(Protocol):
    """Performs a flow inside its act's transaction, or answers what it returned when it was done before."""

    def __call__(self, flow: Callable[..., Any], perform: Callable[[], Any], *, by: Actor) -> Any: ...


_once: ContextVar[Once | None] = ContextVar("once", default=None)


@contextmanager
def acting_once(once: Once) -> Iterator[None]:
    """Let `once` perform the act that is done inside, for a request that may be sent again."""
    token = _once.set(once)
    try:
        yield
    finally:
        _once.reset(token)


def act(flow: Callable[P, R]) -> Callable[P, R]:
    """Make a flow one durable transaction in the tenant of its keyword argument `by`.

    The flow's first line asks `by.must(…)`; what it writes is committed when it returns, and nothing of it
    when it raises. What `acting_once` keeps of it is committed with it. One that is overtaken begins anew, with no
    lock in its hands.
    """

    @wraps(flow)
    def one_act(*args: P.args, **kwargs: P.kwargs) -> R:
        by: Any = kwargs["by"]
        assert isinstance(by, Actor)
        perform, once = partial(flow, *args, **kwargs), _once.get()
        for tries_left in reversed(range(TRIES)):
            try:
                with writing(by.tenant):
                    return perform() if once is None else cast(R, once(flow, perform, by=by))
            except Overtaken:
                if not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    return one_act
