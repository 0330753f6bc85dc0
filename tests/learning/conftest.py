"""One model of the small desk, trained once for all the tests that only ask it."""

from __future__ import annotations

import pytest

from flowdesk.learning.model import Model
from flowdesk.learning.training import train_model
from tests.learning.desk import a_desk


@pytest.fixture(scope="session")
def model() -> Model:
    return train_model(a_desk(), out_of_scope="oos", facts={"by": "Ada"})
