"""Sentiment against people's labels: accuracy and macro F1 beside a majority and a plain count of words.

`python -m benchmarks.quality.sentiment FOLDER` with the folder that holds `sentiment/` and `text/`. Where labels
know no neutral, the score's sign decides and a score of nothing goes to the larger class; how often that was so
is printed as silent.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flowdesk.engine.facts import Sentiment
from flowdesk.engine.lexicon import words_of
from flowdesk.engine.priority import Grade
from flowdesk.engine.sentiment import SentimentLexicon, read_sentiment
from flowdesk.engine.triage import triage
from flowdesk.policies.packs import read_pack_text
from flowdesk.policies.reader import read_document
from flowdesk.policies.sections.triage import read_triage
from flowdesk.triage.lexicons import lexicon_for


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and what people called it: negative, neutral or positive; `doubt` marks a label few agreed on."""

    text: str
    label: str
    doubt: bool = False


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table, packed or plain."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as packed:
            yield from csv.DictReader(packed)
    else:
        with path.open(encoding="utf-8", newline="") as plain:
            yield from csv.DictReader(plain)


def airline_tweets(folder: Path) -> list[Labelled]:
    return [
        Labelled(row["text"], row["airline_sentiment"], float(row["airline_sentiment_confidence"]) < 0.65)
        for row in rows_of(folder / "sentiment/airline_tweets_train.csv.gz")
    ]


def swedish_reviews(folder: Path) -> list[Labelled]:
    return [
        Labelled(row["text"], row["sentiment"])
        for row in rows_of(folder / "sentiment/swedish_reviews_train.csv.gz")
    ]


def swedish_emoji(folder: Path) -> list[Labelled]:
    names = {"pos": "positive", "neg": "negative", "neu": "neutral"}
    found = []
    for row in rows_of(folder / "sentiment/swedish_emoji_sentiment_train.csv"):
        if row["label"] in names:
            votes = Counter(row["all_labels"].split(","))
            found.append(
                Labelled(row["text"], names[row["label"]], votes[row["label"]] < 0.6 * votes.total())
            )
    return found


SETS: tuple[tuple[str, str, Callable[[Path], list[Labelled]]], ...] = (
    ("airline tweets", "en", airline_tweets),
    ("Swedish reviews", "sv", swedish_reviews),
    ("Swedish with emoji", "sv", swedish_emoji),
)


def plain_count(text: str, lexicon: SentimentLexicon) -> int:
    """Positive minus negative words of the same lexicon, nothing around them looked at."""
    found = (lexicon.words.get(word) for word in words_of(text))
    return sum((one.weight > 0) - (one.weight < 0) for one in found if one is not None)


def side_of(number: float, middle: str) -> str:
    return "positive" if number > 0 else "negative" if number < 0 else middle


def macro_f1(truth: list[str], said: list[str]) -> float:
    """The mean over the labels of truth of 2·hits / (said + true)."""
    hits = Counter(label for label, other in zip(truth, said, strict=True) if label == other)
    true, claimed = Counter(truth), Counter(said)
    return sum(2 * hits[label] / (true[label] + claimed[label]) for label in true) / len(true)


def report(name: str, language: str, rows: list[Labelled]) -> None:
    lexicon = lexicon_for(language)
    truth = [row.label for row in rows]
    majority = Counter(truth).most_common(1)[0][0]
    is_three_way = "neutral" in truth
    middle = "neutral" if is_three_way else majority
    begun = time.process_time()
    decisions = [read_sentiment("", text=row.text, lexicon=lexicon) for row in rows]
    spent = time.process_time() - begun
    ours = []
    for decision in decisions:
        if is_three_way:
            said = decision.sentiment
            ours.append("negative" if said is Sentiment.ANGRY else said.value)
        else:
            ours.append(side_of(decision.score, middle))
    plain = [side_of(plain_count(row.text, lexicon), middle) for row in rows]
    print(
        f"\n{name}: {len(rows)} texts, {dict(Counter(truth))}, {spent / len(rows) * 1000:.3f} CPU-ms a text"
    )
    if not is_three_way:
        print(f"  silent {sum(1 for d in decisions if d.score == 0) / len(rows):.1%}, given to {majority}")
    for label, said in (
        ("majority", [majority] * len(rows)),
        ("plain count of words", plain),
        ("flowdesk", ours),
    ):
        print(f"  {label:22} accuracy {accuracy(truth, said):.3f}   macro F1 {macro_f1(truth, said):.3f}")
    sure = [at for at, row in enumerate(rows) if not row.doubt]
    if len(sure) < len(rows):
        told, heard = [truth[at] for at in sure], [ours[at] for at in sure]
        print(
            f"  where people agreed    accuracy {accuracy(told, heard):.3f}   macro F1 {macro_f1(told, heard):.3f}"
        )
    angry = [row.label for row, d in zip(rows, decisions, strict=True) if d.sentiment is Sentiment.ANGRY]
    wrong = sum(1 for label in angry if label != "negative")
    print(f"  called angry {len(angry)}, of which people did not call {wrong} negative")


def accuracy(truth: list[str], said: list[str]) -> float:
    return sum(one == other for one, other in zip(truth, said, strict=True)) / len(truth)


def everyday(folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    """What people ask a help desk all day, hardly ever in anger."""
    yield "bank questions", "en", [row["text"] for row in rows_of(folder / "text/banking77_train.csv.gz")]
    tickets = rows_of(folder / "text/endava_it_tickets_train.csv.gz")
    yield "IT tickets", "en", [f"{row['title']}\n{row['body']}" for row in tickets]
    with gzip.open(folder / "text/swefaq_sv_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield "Swedish questions", "sv", [str(json.loads(line)["question"]) for line in lines]


def false_alarms(folder: Path) -> None:
    """How often everyday questions are called angry or negative."""
    print()
    for name, language, texts in everyday(folder):
        lexicon = lexicon_for(language)
        said = Counter(read_sentiment("", text=text, lexicon=lexicon).sentiment for text in texts)
        shares = ", ".join(f"{one.value} {said[one] / len(texts):.1%}" for one in Sentiment)
        print(f"{name}: {len(texts)} texts, {shares}")


def urgency(folder: Path) -> None:
    """The keyword table of the standard pack beside the urgency codes of real IT tickets.

    What the codes mean is not published, so only the share of high urgency by code can be told: if it rises or
    falls with the code, the words carry some of it.
    """
    rules = read_triage(read_document(read_pack_text("triage"), "triage"))
    by_code: dict[str, Counter[Grade]] = {}
    for row in rows_of(folder / "text/endava_it_tickets_train.csv.gz"):
        said = triage(row["title"], text=row["body"], rules=rules).urgency
        by_code.setdefault(row["urgency"], Counter())[said] += 1
    print("\nurgency of IT tickets by code: share that the words call high, low")
    for code, counts in sorted(by_code.items()):
        high, low = counts[Grade.HIGH] / counts.total(), counts[Grade.LOW] / counts.total()
        print(f"  code {code}: {counts.total():5} tickets, high {high:.1%}, low {low:.1%}")


def main() -> None:
    folder = Path(sys.argv[1])
    for name, language, read in SETS:
        report(name, language, read(folder))
    false_alarms(folder)
    urgency(folder)


if __name__ == "__main__":
    main()
