"""Named holiday tables, spelled out as dates so that a revision keeps the days it was made with.

The library is imported when a table is asked for: it loads every country of the world, which costs a tenth of a
second and 15 MB, and a desk that only serves never asks.
"""

from datetime import date
from functools import lru_cache

# Days on which Swedish offices are shut by custom though no law says so: the eves of Midsummer, Christmas and New Year.
_SWEDISH_EVES = ("Midsommarafton", "Julafton", "Nyårsafton")


def known_tables() -> frozenset[str]:
    """The country codes a policy may name."""
    import holidays as tables

    return frozenset(tables.list_supported_countries(include_aliases=False))


@lru_cache(maxsize=32)
def named_holidays(country: str, years: range) -> tuple[tuple[date, str], ...]:
    """The country's public holidays in these years, in order; Swedish Sundays left out, de-facto days added."""
    import holidays as tables
    from holidays.countries.sweden import Sweden

    if country == "SE":
        found = dict(Sweden(years=years, include_sundays=False))
        for year in years:
            for on, name in zip(
                (_midsummer_eve(year), date(year, 12, 24), date(year, 12, 31)), _SWEDISH_EVES, strict=True
            ):
                found.setdefault(on, name)
        return tuple(sorted(found.items()))
    return tuple(sorted(tables.country_holidays(country, years=years).items()))


def _midsummer_eve(year: int) -> date:
    """The Friday between 19 and 25 June."""
    first = date(year, 6, 19)
    return first.replace(day=19 + (4 - first.weekday()) % 7)
