"""Colours and words of mails: the light values of the house's tokens, which the Word engine of Outlook can show."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.models import Status


@dataclass(frozen=True, slots=True)
class Tone:
    """Colours of one status: `mark` for bars and icons, `text` on white, `soft` behind text."""

    mark: str
    text: str
    soft: str


TONES: dict[Status, Tone] = {
    Status.PASSING: Tone("#147F58", "#0F6C4A", "#E4F3EB"),
    Status.WARNING: Tone("#BE7A08", "#865200", "#FCEFD6"),
    Status.FAILING: Tone("#BF1D24", "#A8161D", "#FCE7E5"),
    Status.UNKNOWN: Tone("#5F6786", "#515873", "#ECEEF5"),
    Status.NOT_STARTED: Tone("#8A8A86", "#63635F", "#F1F1EE"),
    Status.UNAVAILABLE: Tone("#35373B", "#35373B", "#E9E9EA"),
}
