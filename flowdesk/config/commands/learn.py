"""Learn from a CSV file what texts are about, or measure a model on one.

Needs no running desk. Results go to standard output, progress to standard error. Training needs scikit-learn
(pip install 'flowdesk[ml]'); measuring does without.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowdesk.config.commands._progress import ProgressLine

if TYPE_CHECKING:
    from flowdesk.learning.quality import Quality

BAD_INPUT = 2
OUT_OF_SCOPE = "oos"
NO_NUMPY = "learned models need numpy, which is not installed: pip install 'flowdesk[ml]'"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the rows: .csv or .csv.gz, UTF-8")
    parser.add_argument("--text", metavar="COLUMN", help="the column that holds the texts (default: text)")
    parser.add_argument("--label", metavar="COLUMN", help="the column that holds the labels (default: label)")
    parser.add_argument("--out", type=Path, metavar="MODEL", help="write the trained model here")
    parser.add_argument(
        "--evaluate", type=Path, metavar="MODEL", help="measure this model on the rows instead"
    )
    parser.add_argument(
        "--out-of-scope",
        metavar="LABEL",
        help="the label of rows that belong to no label: taught and counted as to abstain on "
        "(default: oos, or what the model was trained with)",
    )


def run(args: Namespace) -> int:
    if (args.out is None) == (args.evaluate is None):
        return _refused("say either --out MODEL, to train, or --evaluate MODEL, to measure one", args)
    try:
        import numpy  # noqa: F401  (asked for, not used)
    except ImportError:
        return _refused(NO_NUMPY, args)
    from flowdesk.learning.examples import BadExamples
    from flowdesk.learning.storage import NotAModel
    from flowdesk.learning.training import CannotLearn, NoTrainer

    try:
        return _train(args) if args.out else _evaluate(args)
    except (BadExamples, CannotLearn, NoTrainer, UnusableModel) as fault:
        return _refused(str(fault), args)
    except NotAModel as fault:
        return _refused(f"{args.evaluate}: {fault}", args)


class UnusableModel(Exception):
    """The model's file cannot be read or written."""


def _train(args: Namespace) -> int:
    from flowdesk.learning.storage import model_to_bytes
    from flowdesk.learning.training import must_have_trainer, train_model

    must_have_trainer()
    _must_be_writable(args.out, args.file)
    out_of_scope = args.out_of_scope or OUT_OF_SCOPE
    progress = ProgressLine(sys.stderr)
    try:
        examples = _examples(args)
        model = train_model(
            examples,
            out_of_scope=out_of_scope,
            facts={
                "file": args.file.name,
                "text": args.text or "text",
                "label": args.label or "label",
                "out_of_scope": out_of_scope,
            },
            tell=lambda words: progress.say(words, is_last=True),
        )
    finally:
        progress.end()
    stored = model_to_bytes(model)
    try:
        args.out.write_bytes(stored)
    except OSError as fault:
        raise UnusableModel(f"{args.out}: {fault.strerror or fault}") from fault
    told: dict[str, Any] = {
        "model": str(args.out),
        "bytes": len(stored),
        "labels": len(model.labels),
        "features": len(model.features),
        "threshold": model.threshold,
        "figures": dict(model.figures),
    }
    if args.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(_trained(told))
    return 0


def _evaluate(args: Namespace) -> int:
    from flowdesk.learning.quality import judge, quality_of
    from flowdesk.learning.storage import MOST_BYTES, model_from_bytes

    try:
        with args.evaluate.open("rb") as file:
            model = model_from_bytes(file.read(MOST_BYTES + 1))
    except OSError as fault:
        raise UnusableModel(f"{args.evaluate}: {fault.strerror or fault}") from fault
    if args.text is None:
        args.text = _kept(model.facts, "text")
    if args.label is None:
        args.label = _kept(model.facts, "label")
    out_of_scope = args.out_of_scope or _kept(model.facts, "out_of_scope") or OUT_OF_SCOPE
    progress = ProgressLine(sys.stderr)
    try:
        examples = _examples(args)
        judged = []
        for at in range(0, len(examples), 200):
            judged += judge(model, examples[at : at + 200], out_of_scope=out_of_scope)
            progress.say(f"{len(judged):,} of {len(examples):,} rows", is_last=len(judged) == len(examples))
    finally:
        progress.end()
    quality = quality_of(judged)
    if args.json:
        print(json.dumps({**asdict(quality), "threshold": model.threshold}, ensure_ascii=False))
    else:
        print(_measured(quality, model.threshold))
    return 0


def _kept(facts: Any, name: str) -> str | None:
    found = facts.get(name)
    return found if isinstance(found, str) else None


def _examples(args: Namespace) -> list[Any]:
    from flowdesk.learning.examples import read_examples

    return read_examples(args.file, text=args.text or "text", label=args.label or "label")


def _must_be_writable(out: Path, source: Path) -> None:
    """Known before the work, not after it."""
    if out.is_dir():
        raise UnusableModel(f"{out}: is a folder")
    if not out.parent.is_dir():
        raise UnusableModel(f"{out}: there is no folder {out.parent}")
    if out.exists() and source.exists() and out.samefile(source):
        raise UnusableModel(f"{out}: is the file to learn from; the model would be written over it")


def _refused(reason: str, args: Namespace) -> int:
    print(json.dumps({"error": reason}) if args.json else f"flowdesk: {reason}", file=sys.stderr)
    return BAD_INPUT


def _trained(told: dict[str, Any]) -> str:
    figures = told["figures"]
    return "\n".join(
        (
            f"learned {told['labels']:,} labels from {figures['rows']:,} rows, "
            f"{figures['rows_out_of_scope']:,} of them out of scope",
            f"on rows it had not seen it answers {figures['coverage']:.1%}, and {figures['accuracy']:.1%} of all "
            f"are answered and right; it abstains under {told['threshold']:.2f}",
            f"{told['model']}: {told['bytes']:,} bytes",
        )
    )


def _measured(quality: Quality, threshold: float) -> str:
    lines = [
        f"{quality.rows:,} rows, {quality.rows_out_of_scope:,} of them out of scope; abstains under {threshold:.2f}",
        "",
        *(
            f"{name:<46}{_percent(value):>8}"
            for name, value in (
                ("accuracy: answered and right, in scope", quality.accuracy),
                ("macro F1", quality.macro_f1),
                ("coverage: rows in scope that it answers", quality.coverage),
                ("right, of those answered", quality.accuracy_of_answered),
                ("out-of-scope recall at the threshold", quality.out_of_scope_recall),
                ("accuracy of the best label, never abstaining", quality.accuracy_of_best),
                ("calibration error", quality.calibration_error),
            )
        ),
        "",
        f"{'label':<40}{'precision':>10}{'recall':>8}{'F1':>8}{'rows':>7}",
        *(
            f"{one.label[:39]:<40}{one.precision:>10.2f}{one.recall:>8.2f}{one.f1:>8.2f}{one.support:>7,}"
            for one in quality.labels
        ),
    ]
    if quality.confusions:
        lines += ["", "taken for another, most often:"]
        lines += [f"  {one.times:>4}  {one.truth} → {one.answered}" for one in quality.confusions]
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
