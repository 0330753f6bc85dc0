"""Builds the demo's fixtures from two public sets; the same input gives the same bytes.

    python scripts/build_demo.py --shared DIR

DIR holds `incident_log/replay_train.csv.gz` and `text/banking77_train.csv.gz`. What is taken from each, and
what is changed, stands in flowdesk/worker/demo/data/ATTRIBUTION.md.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[1] / "flowdesk" / "worker" / "demo" / "data"
SEED = 20160502
HISTORIES = 480
LONGEST_MINUTES = 6 * 24 * 60
WORDS_PER_INTENT = 9
# The log's states as steps: work goes on, the customer or a third party is waited for, the work is done.
STEPS = {
    "Active": "work",
    "Awaiting User Info": "customer",
    "Awaiting Problem": "third_party",
    "Awaiting Vendor": "third_party",
    "Awaiting Evidence": "third_party",
    "Resolved": "resolve",
}
# Intents of banking77 by the category a support desk for payments would give them; the rest is left out.
INTENTS: Mapping[str, Mapping[str, str]] = {
    "billing": {
        "card_payment_fee_charged": "Fee on a card payment",
        "cash_withdrawal_charge": "Charged for a withdrawal",
        "extra_charge_on_statement": "Extra charge on our statement",
        "request_refund": "Refund",
        "Refund_not_showing_up": "Refund has not arrived",
        "transaction_charged_twice": "Charged twice",
        "transfer_fee_charged": "Fee on a transfer",
        "top_up_by_card_charge": "Charge for topping up",
        "card_payment_wrong_exchange_rate": "Wrong exchange rate on a payment",
    },
    "technical": {
        "card_not_working": "Card not working",
        "virtual_card_not_working": "Virtual card not working",
        "contactless_not_working": "Contactless not working",
        "failed_transfer": "Transfer failed",
        "declined_transfer": "Transfer declined",
        "declined_card_payment": "Card payment declined",
        "top_up_failed": "Top-up failed",
        "pending_transfer": "Transfer stuck",
        "pending_top_up": "Top-up is pending",
        "balance_not_updated_after_bank_transfer": "Balance not updated",
    },
    "account": {
        "passcode_forgotten": "Forgot the passcode",
        "change_pin": "Change of PIN",
        "pin_blocked": "PIN blocked",
        "edit_personal_details": "Change of details",
        "verify_my_identity": "Verification of identity",
        "unable_to_verify_identity": "Cannot verify identity",
        "lost_or_stolen_phone": "Phone is gone, how do we get in",
        "terminate_account": "Closing an account",
    },
    "feature": {
        "automatic_top_up": "Automatic top-up",
        "exchange_via_app": "Exchanging in the app",
        "fiat_currency_support": "Supported currencies",
        "supported_cards_and_currencies": "Supported cards",
        "getting_spare_card": "One more card",
        "disposable_card_limits": "Limits of disposable cards",
        "card_delivery_estimate": "Delivery time",
        "country_support": "Supported countries",
        "top_up_limits": "Top-up limits",
    },
    "integration": {
        "apple_pay_or_google_pay": "Connecting a mobile wallet",
        "card_linking": "Linking a card",
    },
    "security": {
        "compromised_card": "Possible misuse of a card",
        "card_payment_not_recognised": "Payment we do not recognise",
        "direct_debit_payment_not_recognised": "Unknown direct debit",
    },
}
UNWANTED = ("drunk", "damn", "hell ", "stupid", "idiot", "sex", "robbed", "mugged")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="the folder of the public sets")
    shared: Path = parser.parse_args().shared
    TARGET.mkdir(parents=True, exist_ok=True)
    write(TARGET / "histories.json.gz", histories(shared / "incident_log" / "replay_train.csv.gz"))
    write(TARGET / "words.json.gz", words(shared / "text" / "banking77_train.csv.gz"))


def histories(log: Path) -> list[dict[str, Any]]:
    """Arrival as a minute of the week, priority 1 to 4, and steps as minutes since the arrival."""
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows_of(log):
        rows[row["number"]].append(row)
    found = [told for number in sorted(rows) if (told := history(rows[number])) is not None]
    chosen = random.Random(SEED).sample(found, HISTORIES)  # noqa: S311 - a sample, no secret
    return sorted(chosen, key=lambda one: (one["week_minute"], json.dumps(one)))


def history(rows: list[dict[str, str]]) -> dict[str, Any] | None:
    """One ticket's flow; None for one that was logged after the fact, never resolved, or took very long."""
    opened = datetime.fromisoformat(rows[0]["opened_at"])
    steps: list[tuple[int, str]] = []
    moves, group = 0, rows[0]["assignment_group"]
    for row in rows:
        minutes = round((datetime.fromisoformat(row["ts"]) - opened).total_seconds() / 60)
        if row["assignment_group"] not in ("?", group):
            moves, group = moves + (group != "?"), row["assignment_group"]
        step = STEPS.get(row["incident_state"])
        if step is not None and (not steps or steps[-1][1] != step):
            steps.append((max(1, minutes), step))
    while steps and steps[-1][1] != "resolve":
        steps.pop()
    if len(steps) < 2 or len(steps) > 9 or steps[-1][0] > LONGEST_MINUTES:
        return None
    return {
        "week_minute": opened.weekday() * 1440 + opened.hour * 60 + opened.minute,
        "priority": int(rows[-1]["priority"][0]),
        "moves": min(moves, 2),
        "steps": steps,
    }


def words(texts: Path) -> list[dict[str, str]]:
    """Category, subject (ours) and text of some queries of each chosen intent."""
    by_intent: dict[str, set[str]] = defaultdict(set)
    for row in rows_of(texts):
        text = " ".join(row["text"].split())
        if 28 <= len(text) <= 240 and not any(word in text.lower() for word in UNWANTED):
            by_intent[row["category"]].add(text)
    chance = random.Random(SEED)  # noqa: S311 - a sample, no secret
    return [
        {"category": category, "subject": subject, "text": text}
        for category, intents in INTENTS.items()
        for intent, subject in intents.items()
        for text in sorted(
            chance.sample(sorted(by_intent[intent]), min(WORDS_PER_INTENT, len(by_intent[intent])))
        )
    ]


def rows_of(file: Path) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def write(file: Path, value: list[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in value)
    # No time of day in the head: the same rows are the same bytes.
    file.write_bytes(gzip.compress(f"[\n{lines}\n]\n".encode(), mtime=0))
    print(f"{file.name}: {len(value)} rows, {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
