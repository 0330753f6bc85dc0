"""A real browser for tests, and what to ask of a page in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
REQUIRED = bool(os.environ.get("CI"))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = (1440, 1100, 390)
needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists() and not REQUIRED, reason=f"no browser at {CHROMIUM}"),
]


@contextmanager
def a_browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    # The driver keeps an event loop in this thread; the database is asked in it all the same, one thing at a time.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def a_page(
    browser: Any,
    *,
    width: int = 1440,
    scheme: str = "light",
    script: bool = True,
    bypass_csp: bool = False,
    state: Any = None,
) -> Iterator[Any]:
    """A page that keeps what it complained of in `faults`."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        reduced_motion="reduce",  # a colour on its way to another is neither
        java_script_enabled=script,
        bypass_csp=bypass_csp,
        storage_state=state,
    )
    page = context.new_page()
    page.set_default_timeout(15_000)  # for what never comes; a busy machine takes its time
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on(
        "console",
        lambda message: page.faults.append(message.text) if message.type in ("error", "warning") else None,
    )
    yield page
    context.close()


def findings(page: Any, **options: Any) -> list[tuple[str, list[str], str]]:
    """What axe objects to, with the element and the reason."""
    from axe_playwright_python.sync_playwright import Axe

    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    # What it does not object to stays in the browser: it is most of the answer.
    violations = page.evaluate(
        "options => axe.run(options).then(found => found.violations)",
        {"resultTypes": ["violations"], **options},
    )
    return [
        (rule["id"], node["target"], node["failureSummary"]) for rule in violations for node in rule["nodes"]
    ]


def findings_of_colour(page: Any) -> list[tuple[str, list[str], str]]:
    """What axe objects to of a page that it has found clean in other colours: nothing else depends on them."""
    return findings(page, runOnly=["color-contrast", "link-in-text-block"])


def runs_off_the_side(page: Any) -> bool:
    root = "document.documentElement"
    return bool(page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"))
