"""What a stored model is, and what is refused as one: the file may come from anybody."""

from __future__ import annotations

import json
import pickle
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from flowdesk.learning.model import Model
from flowdesk.learning.storage import (
    MARK,
    MOST_BYTES,
    NotAModel,
    TooLarge,
    UnknownVersion,
    model_from_bytes,
    model_to_bytes,
)

Change = Callable[[dict[str, Any]], object]


def taken_apart(stored: bytes) -> tuple[dict[str, Any], bytes]:
    start = len(MARK) + 4
    end = start + int.from_bytes(stored[len(MARK) : start], "big")
    return json.loads(stored[start:end]), zlib.decompress(stored[end:])


def put_together(header: object, body: bytes) -> bytes:
    head = json.dumps(header).encode()
    return MARK + len(head).to_bytes(4, "big") + head + zlib.compress(body)


def changed(model: Model, change: Change) -> bytes:
    header, body = taken_apart(model_to_bytes(model))
    change(header)
    return put_together(header, body)


def test_a_model_read_back_is_the_same_model(model: Model) -> None:
    stored = model_to_bytes(model)

    assert model_to_bytes(model_from_bytes(stored)) == stored


def test_a_model_read_back_answers_the_same(model: Model) -> None:
    back = model_from_bytes(model_to_bytes(model))

    assert back.answer("where is my invoice") == model.answer("where is my invoice")


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"hello",
        MARK,
        MARK + b"\0\0\0\1",
        MARK + b"\0\0\0\2{}",
        b"PK\x03\x04",
        pickle.dumps({"version": 1}),
    ],
)
def test_another_file_is_refused(stored: bytes) -> None:
    with pytest.raises(NotAModel):
        model_from_bytes(stored)


def test_every_cut_is_refused(model: Model) -> None:
    stored = model_to_bytes(model)

    for end in range(0, len(stored), 97):
        with pytest.raises(NotAModel):
            model_from_bytes(stored[:end])


def test_what_follows_the_end_is_refused(model: Model) -> None:
    with pytest.raises(NotAModel):
        model_from_bytes(model_to_bytes(model) + b"more")


@pytest.mark.parametrize("version", [0, 2, "1", None, True, 10**30])
def test_an_unknown_version_is_named(model: Model, version: object) -> None:
    with pytest.raises(UnknownVersion):
        model_from_bytes(changed(model, lambda header: header.update(version=version)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": "abc"},
        {"labels": ["one"]},
        {"labels": ["same", "same", "same"]},
        {"labels": ["a", "b", 3]},
        {"labels": ["a", "b", "c" * 201]},
        {"features": -1},
        {"features": True},
        {"features": 1},
        {"words": 0},
        {"name_bytes": 0},
        {"threshold": float("nan")},
        {"threshold": float("inf")},
        {"threshold": 1.5},
        {"threshold": "0.5"},
        {"threshold": None},
        {"sharpness": 0},
        {"sharpness": -3},
        {"sharpness": 1e300},
        {"none_score": float("-inf")},
        {"figures": []},
        {"facts": 7},
    ],
)
def test_a_header_that_is_not_right_is_refused(model: Model, wrong: dict[str, Any]) -> None:
    with pytest.raises(NotAModel):
        model_from_bytes(changed(model, lambda header: header.update(wrong)))


@pytest.mark.parametrize(
    "name", ["labels", "features", "words", "name_bytes", "threshold", "figures", "facts"]
)
def test_a_header_that_lacks_something_is_refused(model: Model, name: str) -> None:
    with pytest.raises(NotAModel):
        model_from_bytes(changed(model, lambda header: header.pop(name)))


@pytest.mark.parametrize("head", [b"[" * 100_000, b"[]", b"1", b"\xff\xfe", b'{"version": 1'])
def test_a_header_that_is_no_object_is_refused(head: bytes) -> None:
    with pytest.raises(NotAModel):
        model_from_bytes(MARK + len(head).to_bytes(4, "big") + head)


@pytest.mark.parametrize(
    "wrong", [{"features": 10**9}, {"name_bytes": 10**12}, {"labels": [str(one) for one in range(1_001)]}]
)
def test_absurd_sizes_are_named(model: Model, wrong: dict[str, Any]) -> None:
    with pytest.raises(TooLarge):
        model_from_bytes(changed(model, lambda header: header.update(wrong)))


def test_a_file_larger_than_any_model_is_named() -> None:
    with pytest.raises(TooLarge):
        model_from_bytes(b"\0" * (MOST_BYTES + 1))


def test_a_small_file_that_unpacks_to_much_takes_no_memory(model: Model) -> None:
    header, _ = taken_apart(model_to_bytes(model))
    bomb = put_together(header, b"\0" * 200_000_000)

    tracemalloc.start()
    with pytest.raises(NotAModel):
        model_from_bytes(bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 5_000_000


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e30])
def test_numbers_that_are_none_are_refused(model: Model, number: float) -> None:
    header, body = taken_apart(model_to_bytes(model))
    at = header["name_bytes"]
    bad = body[:at] + np.array([number], dtype="<f4").tobytes() + body[at + 4 :]

    with pytest.raises(NotAModel, match="numbers"):
        model_from_bytes(put_together(header, bad))


def test_words_that_are_no_utf8_are_refused(model: Model) -> None:
    header, body = taken_apart(model_to_bytes(model))

    with pytest.raises(NotAModel, match="UTF-8"):
        model_from_bytes(put_together(header, b"\xff" + body[1:]))
