"""Values beside their limits, as mails and the pages of incidents say them."""

from __future__ import annotations

from monitoring.mail.words import value_and_limit
from monitoring.models import Area


def test_a_limit_that_nobody_kept_is_not_spoken_of() -> None:
    assert value_and_limit(Area.DRIFT, {}) == ""
    assert value_and_limit(Area.DRIFT, {"driftThreshold": 0.15}) == "no drifted feature; drifted above PSI 0.15"
