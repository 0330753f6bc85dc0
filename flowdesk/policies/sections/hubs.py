"""The section `hubs`: lane owners and thresholds, the windows, the review and the automation's schedule."""

from enum import StrEnum

from flowdesk.core.time import known_zones
from flowdesk.engine.business_time import DEFAULT_ZONE, Weekday
from flowdesk.engine.cadence import Weekly
from flowdesk.engine.lanes import HubPolicy, Lane, LaneDefinition, Review, Thresholds, Window, lane
from flowdesk.policies.reader import FaultList, Node, suggestion


class _Day(StrEnum):
    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_KEYS = ("lanes", "review", "automation")


def read_hubs(node: Node) -> HubPolicy:
    """Lanes, windows, review and schedule; raises PolicyFaults."""
    parts = node.mapping(required=_KEYS, optional=("goal_percent", "windows", "likely_from"))
    faults = FaultList()
    lanes = faults.read(lambda: _lanes(parts["lanes"]))
    review = faults.read(lambda: _review(parts["review"]))
    automation = faults.read(lambda: _weekly(parts["automation"]))
    goal = faults.read(lambda: _number(parts.get("goal_percent"), default=95.0, most=100))
    likely = faults.read(lambda: _number(parts.get("likely_from"), default=0.1, most=1))
    windows = faults.read(lambda: _windows(parts["windows"])) if "windows" in parts else tuple(Window)
    faults.raise_any()
    assert lanes is not None
    assert review is not None
    assert automation is not None
    assert goal is not None
    assert likely is not None
    assert windows is not None
    return HubPolicy(
        lanes=lanes,
        review=review,
        automation=automation,
        goal_percent=goal,
        windows=windows,
        likely_from=likely,
    )


def _lanes(node: Node) -> tuple[LaneDefinition, ...]:
    """All seven, in the order of the page whatever the order of the document."""
    parts = node.mapping(required=[key.value for key in Lane])
    faults, lanes = FaultList(), list[LaneDefinition]()
    for key in Lane:
        with faults:
            lanes.append(_lane(key, parts[key.value]))
    faults.raise_any()
    return tuple(lanes)


def _lane(key: Lane, node: Node) -> LaneDefinition:
    parts = node.mapping(required=("owner",), optional=("warning", "critical"))
    warning = float(parts["warning"].number(least=0)) if "warning" in parts else None
    critical = float(parts["critical"].number(least=0)) if "critical" in parts else None
    if warning is not None and critical is not None and warning > critical:
        raise parts["warning"].refuse("a lane warns before it is critical; this is above `critical`")
    return lane(
        key, owner=parts["owner"].text(longest=50), thresholds=Thresholds(warning=warning, critical=critical)
    )


def _review(node: Node) -> Review:
    parts = node.mapping(required=("day", "at", "owner"), optional=("zone",))
    return Review(owner=parts["owner"].text(longest=50), cadence=_cadence(parts))


def _weekly(node: Node) -> Weekly:
    return _cadence(node.mapping(required=("day", "at"), optional=("zone",)))


def _cadence(parts: dict[str, Node]) -> Weekly:
    zone = DEFAULT_ZONE
    if "zone" in parts:
        zone = parts["zone"].text()
        if zone not in known_zones():
            reason = f"there is no time zone {zone!r}{suggestion(zone, known_zones())}"
            raise parts["zone"].refuse(reason)
    day = Weekday(list(_Day).index(parts["day"].choice(_Day)))
    return Weekly(weekday=day, at=parts["at"].wall_time(), zone=zone)


def _number(node: Node | None, *, default: float, most: int) -> float:
    return default if node is None else float(node.number(least=0, most=most))


def _windows(node: Node) -> tuple[Window, ...]:
    windows = node.each(lambda one: one.choice(Window))
    if not windows:
        raise node.refuse("is empty; a hub looks back on one window at least")
    if len(set(windows)) < len(windows):
        raise node.refuse("names a window twice")
    return windows
