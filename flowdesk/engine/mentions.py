"""Sums, numbers and codes that a text names (F-RTE-10): what a tenant may keep in fields of its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

_CURRENCIES = {
    "kr": "SEK",
    "sek": "SEK",
    "kronor": "SEK",
    "€": "EUR",
    "eur": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "$": "USD",
    "usd": "USD",
    "dollar": "USD",
    "dollars": "USD",
    "£": "GBP",
    "gbp": "GBP",
    "pounds": "GBP",
    "nok": "NOK",
    "dkk": "DKK",
}
_FIGURE = r"[0-9]{1,3}(?:[ .,'\u00a0\u202f][0-9]{3}){1,4}(?:[.,][0-9]{1,2})?|[0-9]{1,12}(?:[.,][0-9]{1,2})?"
_MONEY_WORD = "|".join(
    sorted((re.escape(word) for word in _CURRENCIES if word.isalpha()), key=len, reverse=True)
)
_AMOUNT = re.compile(
    rf"(?<![\w.,])(?P<before>[€$£]|(?:{_MONEY_WORD})\b)[ \u00a0]?(?P<first>{_FIGURE})(?![0-9])"
    rf"|(?<![\w.,])(?P<second>{_FIGURE})(?:[ \u00a0]|:-[ ]?)?(?P<after>[€$£]|(?:{_MONEY_WORD})\b)",
    re.IGNORECASE,
)
_DIGIT = re.compile("[0-9]")
# Before a number: what it is of, and mostly a word or sign that says a number follows.
_SIGN = r"[ \t]{0,3}(?:(?:number|nummer|no\.?|nr\.?|id|code|kod)\b[ \t]{0,3}[:#]?|[:#])[ \t]{0,3}#?"
_SIGNED = r"(?=[a-z0-9-]{0,19}[0-9])[a-z0-9][a-z0-9-]{2,29}(?![\w-])"
_BARE = r"[ \t]{1,3}(?P<bare>[a-z]{0,4}-?[0-9]{4,20})(?![\w.,-]*[\w])"


def _numbered(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{words})(?:{_SIGN}(?P<signed>{_SIGNED})|{_BARE})", re.IGNORECASE)


# By key: the words without one of which there is nothing to look for, and what to look for.
_NUMBERS = {
    "order_number": (("order", "beställning"), _numbered(
        r"orders?|ordern|beställning(?:en)?|(?:order|beställnings)(?:nummer|nr)"
    )),
    "invoice_number": (("invoice", "faktura"), _numbered(r"invoices?|fakturan?|faktura(?:nummer|nr)")),
    "error_code": (("error", "fel", "http", "status"), re.compile(
        r"(?<!\w)(?:error|felet|fel|felkod(?:en)?|http|status)(?:[ \t](?:code|kod))?[ \t]{0,3}[:#]?[ \t]{0,3}"
        r"(?P<signed>0x[0-9a-f]{2,16}|[a-z]{1,6}[-_]?[0-9]{2,6}|[0-9]{3,6})(?P<bare>)(?!\w)",
        re.IGNORECASE,
    )),
    "version": (("v",), re.compile(
        r"(?<!\w)(?:version(?:en)?|ver\.?|v\.?)[ \t]{0,3}(?P<signed>[0-9]{1,4}(?:\.[0-9]{1,6}){1,3})(?P<bare>)(?!\w)",
        re.IGNORECASE,
    )),
}  # fmt: skip


def mentions(text: str) -> Mapping[str, Decimal | str]:
    """What a text names, by the keys that a tenant may give its own fields: `amount` and its `currency` (ISO 4217),
    the largest sum of money; `order_number`, `invoice_number`, `error_code` and `version`, the first of each.

    Only a figure beside a currency is a sum; an order number is none. Thousands may be set apart by space, point,
    comma or apostrophe; one or two digits after the last point or comma are decimals.
    """
    if not _DIGIT.search(text):
        return {}
    text = unicodedata.normalize("NFC", text)
    found, folded = dict(_sum_in(text)), text.casefold()
    for key, (words, pattern) in _NUMBERS.items():
        if any(word in folded for word in words) and (first := pattern.search(text)):
            found[key] = first["signed"] or first["bare"]
    return found


def _sum_in(text: str) -> Mapping[str, Decimal | str]:
    best: tuple[Decimal, str] | None = None
    for found in _AMOUNT.finditer(text):
        amount = _figure(found["first"] or found["second"])
        currency = _CURRENCIES[(found["before"] or found["after"]).casefold()]
        if best is None or amount > best[0]:
            best = (amount, currency)
    return {} if best is None else {"amount": best[0], "currency": best[1]}


def _figure(written: str) -> Decimal:
    whole, decimals = written, ""
    last = max(written.rfind("."), written.rfind(","))
    if last >= 0 and len(written) - last - 1 in (1, 2):
        whole, decimals = written[:last], written[last + 1 :]
    digits = "".join(character for character in whole if character.isdigit())
    return Decimal(f"{digits}.{decimals}" if decimals else digits)
