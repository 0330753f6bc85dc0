"""One model of the small desk, trained once for all the tests that only ask it."""

from __future__ import annotations

import pytest

from flowdesk.learning.model import Model
from flowdesk.learning.training import train_model
from tests.learning.desk import a_busy_desk, a_desk


@pytest.fixture(scope="session")
def model() -> Model:
    return train_model(a_desk(), out_of_scope="oos", facts={"by": "Ada"})


@pytest.fixture(scope="session")
def large_model() -> Model:
    """Of so many rows that networks learn them."""
    return train_model(a_busy_desk(), out_of_scope="oos")
