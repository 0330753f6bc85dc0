"""Sums, numbers and codes that a text names."""

from __future__ import annotations

from decimal import Decimal
from time import process_time

import pytest

from flowdesk.engine.mentions import mentions


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("12 500 kr", "12500", "SEK"),
        ("12\u00a0500,50 kr", "12500.50", "SEK"),
        ("SEK 12,500.00", "12500.00", "SEK"),
        ("$1,250.50 and $9", "1250.50", "USD"),
        ("1.250,00 EUR", "1250.00", "EUR"),
        ("€99", "99", "EUR"),
        ("200:- kr", "200", "SEK"),
        ("100 000 000 dollars", "100000000", "USD"),
        ("12,5 kr", "12.5", "SEK"),
        ("1.250 EUR", "1250", "EUR"),
        ("5 EUR, or 5 USD", "5", "EUR"),
    ],
)
def test_the_largest_sum_of_money_is_taken_out(text: str, amount: str, currency: str) -> None:
    assert mentions(text) == {"amount": Decimal(amount), "currency": currency}


@pytest.mark.parametrize("text", ["call 08-123 456 78", "5 krukor", "10 euronews", ""])
def test_a_figure_without_a_currency_is_no_amount(text: str) -> None:
    assert mentions(text) == {}


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("My order #A-12345 is late", "order_number", "A-12345"),
        ("Order number: 88123", "order_number", "88123"),
        ("order 12345.", "order_number", "12345"),
        ("Ordernr 77123 saknas", "order_number", "77123"),
        ("Beställning 123456 kom aldrig", "order_number", "123456"),
        ("Faktura nr 2026-118 är fel", "invoice_number", "2026-118"),
        ("invoice INV-2031 is wrong", "invoice_number", "INV-2031"),
        ("error 500 on login", "error_code", "500"),
        ("felkod 0x80070005", "error_code", "0x80070005"),
        ("Error code: AUTH_401", "error_code", "AUTH_401"),
        ("We run version 4.12.1", "version", "4.12.1"),
        ("v2.1 broke, v2.0 did not", "version", "2.1"),
    ],
)
def test_what_is_numbered_is_found_in_both_languages(text: str, key: str, value: str) -> None:
    assert mentions(text) == {key: value}


@pytest.mark.parametrize(
    "text",
    [
        "order 100 boxes", "in order to 2026", "ordered 12345", "faktura 2026-11-21", "the error of 2019", "felix 500",
        "version two", "v2", "#12345", "reorder 12345",
    ],
)  # fmt: skip
def test_other_figures_are_no_numbers_of_anything(text: str) -> None:
    assert mentions(text) == {}


@pytest.mark.parametrize(
    "part", ["a", "1", "order #a-", "order \t", "v1.", "order ", "1 000 ", "kr", "error "]
)
def test_no_text_makes_it_slow(part: str) -> None:
    text = ("7 order v error faktura " + part * 50_000)[:50_000]

    begun = process_time()
    mentions(text)

    assert process_time() - begun < 2  # milliseconds, unless it were quadratic
