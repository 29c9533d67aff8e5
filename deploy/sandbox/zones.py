from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo

# The API speaks of Rails's zones too; these are the ones people choose whose names are not IANA's.
RAILS = {
    "UTC": "Etc/UTC",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Mountain Time (US & Canada)": "America/Denver",
    "Central Time (US & Canada)": "America/Chicago",
    "Eastern Time (US & Canada)": "America/New_York",
    "Arizona": "America/Phoenix",
    "Alaska": "America/Juneau",
    "Hawaii": "Pacific/Honolulu",
    "Atlantic Time (Canada)": "America/Halifax",
    "Brasilia": "America/Sao_Paulo",
    "London": "Europe/London",
    "Edinburgh": "Europe/London",
    "Dublin": "Europe/Dublin",
    "Lisbon": "Europe/Lisbon",
    "Amsterdam": "Europe/Amsterdam",
    "Berlin": "Europe/Berlin",
    "Bern": "Europe/Zurich",
    "Madrid": "Europe/Madrid",
    "Paris": "Europe/Paris",
    "Rome": "Europe/Rome",
    "Stockholm": "Europe/Stockholm",
    "Vienna": "Europe/Vienna",
    "Warsaw": "Europe/Warsaw",
    "Athens": "Europe/Athens",
    "Moscow": "Europe/Moscow",
    "Jerusalem": "Asia/Jerusalem",
    "Mumbai": "Asia/Kolkata",
    "New Delhi": "Asia/Kolkata",
    "Singapore": "Asia/Singapore",
    "Beijing": "Asia/Shanghai",
    "Tokyo": "Asia/Tokyo",
    "Sydney": "Australia/Sydney",
    "Auckland": "Pacific/Auckland",
}


@cache
def time_zone(name: str) -> ZoneInfo:
    """The zone of this name; ValueError if there is none."""
    try:
        return ZoneInfo(RAILS.get(name, name))
    except (OSError, KeyError):
        raise ValueError(f"there is no time zone {name}") from None


def known_zone(name: str) -> bool:
    """Whether there is a zone of this name."""
    try:
        time_zone(name)
    except ValueError:
        return False
    return True
