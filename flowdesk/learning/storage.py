"""A model as bytes and back. Reading a file runs nothing in it, and takes no more memory than the limits here.

    FLOWDESK MODEL\\n · length of the header (4 bytes, big end first) · header (JSON) · body (zlib)

The header says how large each part of the body is; that is checked against the limits before the body is unpacked, and
no more is unpacked than it said. The same model gives the same bytes.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from flowdesk.learning.confidence import Confidence
from flowdesk.learning.layers import Outer
from flowdesk.learning.model import Model
from flowdesk.learning.words import PIECE, WORD

MARK = b"FLOWDESK MODEL\n"
VERSION = 1

MOST_BYTES = 32_000_000  # of a file
MOST_HEADER = 2_000_000
MOST_FEATURES = 100_000
MOST_LABELS = 1_000
MOST_MIDDLE = 2_000
MOST_NUMBERS = 16_000_000
LONGEST_NAME = 200
MOST_NAME_BYTES = 16_000_000


class NotAModel(Exception):
    """This is no file that `flowdesk learn` wrote, or it is damaged."""


class UnknownVersion(NotAModel):
    """The model was written by another version of Flowdesk; train it again."""


class TooLarge(NotAModel):
    """The model is larger than any that Flowdesk writes."""


def model_to_bytes(model: Model) -> bytes:
    names = "\n".join(model.features).encode()
    header = {
        "version": VERSION,
        "labels": list(model.labels),
        "features": len(model.features),
        "words": model.words_end,
        "name_bytes": len(names),
        "narrow": len(model.steps) if model.outer else 0,
        "middle": len(model.outer.middle_offsets) if model.outer else 0,
        "sharpness": model.confidence.sharpness,
        "none_score": model.confidence.none_score,
        "threshold": model.threshold,
        "figures": dict(model.figures),
        "facts": dict(model.facts),
    }
    head = json.dumps(header, ensure_ascii=False, allow_nan=False, sort_keys=True).encode()
    body = b"".join(
        (
            names,
            model.rarity.astype("<f4").tobytes(),
            model.steps.astype("<f4").tobytes(),
            model.offsets.astype("<f4").tobytes(),
            *(part.astype("<f4").tobytes() for part in _outer_parts(model.outer)),
            np.ascontiguousarray(model.weights).tobytes(),
        )
    )
    return MARK + len(head).to_bytes(4, "big") + head + zlib.compress(body, 9)


def _outer_parts(outer: Outer | None) -> tuple[npt.NDArray[np.float32], ...]:
    return (outer.spread, outer.middle_offsets, outer.weights, outer.offsets) if outer else ()


def model_from_bytes(stored: bytes) -> Model:
    """Raises NotAModel, or one of its kinds."""
    if len(stored) > MOST_BYTES:
        raise TooLarge(f"{len(stored):,} bytes, more than {MOST_BYTES:,}")
    if not stored.startswith(MARK):
        _refuse("it does not begin as a model does")
    start = len(MARK) + 4
    length = int.from_bytes(stored[len(MARK) : start], "big")
    if length > MOST_HEADER:
        raise TooLarge(f"a header of {length:,} bytes, more than {MOST_HEADER:,}")
    if len(stored) < start + length:
        _refuse("it ends too early")
    header = _header(stored[start : start + length])
    return _model(header, stored[start + length :])


def _refuse(why: str) -> NoReturn:
    raise NotAModel(f"This is no model that Flowdesk can read: {why}.")


def _header(head: bytes) -> Mapping[str, Any]:
    try:
        header = json.loads(head.decode(), parse_constant=lambda word: _refuse(f"{word} is no number"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, ValueError):
        _refuse("its header is no JSON")
    if not isinstance(header, dict):
        _refuse("its header is no object")
    version = header.get("version")
    if version != VERSION or isinstance(version, bool):
        raise UnknownVersion(
            f"version {str(version)[:20]}; this Flowdesk reads version {VERSION}. Train the model again."
        )
    return header


def _model(header: Mapping[str, Any], packed: bytes) -> Model:
    labels = _labels(header.get("labels"))
    features = _count(header, "features", most=MOST_FEATURES)
    words = _count(header, "words", most=features)
    name_bytes = _count(header, "name_bytes", most=MOST_NAME_BYTES)
    middle = _count(header, "middle", most=MOST_MIDDLE)
    narrow = _count(header, "narrow", most=MOST_MIDDLE)
    if bool(middle) != bool(narrow):
        _refuse("it has half of an outer layer")
    columns = narrow or len(labels)
    if features * columns > MOST_NUMBERS:
        raise TooLarge(f"{features:,} features for {columns:,} columns")
    outer = (narrow * middle, middle, middle * len(labels), len(labels)) if middle else (0, 0, 0, 0)
    floats = (4 * size for size in (features, columns, columns, *outer))
    parts = _unpacked(packed, (name_bytes, *floats, features * columns))
    names = _names(parts[0], features=features, words=words)
    threshold = _number(header, "threshold")
    if not 0 <= threshold <= 1:
        _refuse("its threshold is no share")
    sharpness = _number(header, "sharpness")
    if sharpness <= 0:
        _refuse("its sharpness is not above 0")
    return Model(
        labels=labels,
        features=names,
        rarity=_floats(parts[1]),
        steps=_floats(parts[2]),
        offsets=_floats(parts[3]),
        outer=Outer(
            spread=_floats(parts[4]).reshape(narrow, middle),
            middle_offsets=_floats(parts[5]),
            weights=_floats(parts[6]).reshape(middle, len(labels)),
            offsets=_floats(parts[7]),
        )
        if middle
        else None,
        weights=np.frombuffer(parts[8], dtype=np.int8).reshape(features, columns),
        confidence=Confidence(sharpness=sharpness, none_score=_number(header, "none_score")),
        threshold=threshold,
        figures=_object(header, "figures"),
        facts=_object(header, "facts"),
        positions={name: index for index, name in enumerate(names)},
        words_end=words,
    )


def _labels(found: object) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        _refuse("its labels are no list of words")
    if len(found) > MOST_LABELS:
        raise TooLarge(f"{len(found):,} labels, more than {MOST_LABELS:,}")
    if len(found) < 2 or len(set(found)) < len(found) or max(map(len, found)) > LONGEST_NAME:
        _refuse("its labels are too few, too long or not unlike one another")
    return tuple(found)


def _names(packed: bytes, *, features: int, words: int) -> tuple[str, ...]:
    try:
        names = tuple(packed.decode().split("\n"))
    except UnicodeDecodeError:
        _refuse("its words are no UTF-8")
    if len(names) != features or len(set(names)) != features:
        _refuse("its words are not as many as it says")
    if not all(name.startswith(WORD if at < words else PIECE) for at, name in enumerate(names)):
        _refuse("its words are out of order")
    return names


def _count(header: Mapping[str, Any], name: str, *, most: int) -> int:
    found = header.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        _refuse(f"its header has no count {name!r}")
    if found > most:
        raise TooLarge(f"{name}: {str(found)[:20]}, more than {most:,}")
    return found


def _number(header: Mapping[str, Any], name: str) -> float:
    found = header.get(name)
    if not isinstance(found, int | float) or isinstance(found, bool) or not math.isfinite(found):
        _refuse(f"its header has no number {name!r}")
    if abs(found) > 1e6:
        _refuse(f"{name} is out of bounds")
    return float(found)


def _object(header: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = header.get(name)
    if not isinstance(found, dict):
        _refuse(f"its header has no object {name!r}")
    return found


def _unpacked(packed: bytes, sizes: Sequence[int]) -> list[bytes]:
    """The body's parts; never more than they are said to take."""
    unpacking = zlib.decompressobj()
    try:
        body = unpacking.decompress(packed, sum(sizes) + 1)
    except zlib.error:
        _refuse("its body is damaged")
    if len(body) != sum(sizes) or not unpacking.eof or unpacking.unused_data:
        _refuse("its body is not as large as its header says")
    ends = list(accumulate(sizes, initial=0))
    return [body[start:end] for start, end in pairwise(ends)]


def _floats(raw: bytes) -> npt.NDArray[np.float32]:
    found = np.frombuffer(raw, dtype="<f4").astype(np.float32)
    if not np.isfinite(found).all() or (np.abs(found) > 1e6).any():
        _refuse("it holds numbers that are none, or out of bounds")
    return found
