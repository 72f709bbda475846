"""Answers over time, taken apart into buckets and the frame around them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from monitoring.client import Malformed
from monitoring.clock import DAY, HOUR, floor_day, floor_hour, parse_time
from monitoring.packing import Bucket
from monitoring.questions import Bucket as Size
from monitoring.questions import Question

_BUCKETS, _PERIOD, _FEATURE = "buckets", "period", "featureName"
#: What an answer over time says of the whole asked range: true for that range only, so it is not kept.
_OF_THE_RANGE = frozenset({_BUCKETS, "summary"})


def split(
    questions: Sequence[Question], payload: Mapping[str, Any]
) -> dict[Question, tuple[list[Bucket], dict[str, Any]]]:
    """Each question's buckets, in order of time, and its frame.

    Several questions share an answer only if each names one feature and all ask for the same size. Raises Malformed
    for a bucket without a period, for one that is no hour or day as asked (its figure would stand for another time),
    and for two of one time that differ.
    """
    buckets = payload.get(_BUCKETS)
    if not isinstance(buckets, list):
        raise Malformed("The answer has no list of buckets.")
    frame = {name: value for name, value in payload.items() if name not in _OF_THE_RANGE}
    size = questions[0].bucket
    if len(questions) == 1 and _feature(questions[0]) is None:
        return {questions[0]: (_ordered(buckets, size), frame)}
    return {
        question: (
            _ordered([one for one in buckets if one.get(_FEATURE) == _feature(question)], size),
            _own(frame, question),
        )
        for question in questions
    }


def _feature(question: Question) -> str | None:
    return dict(question.params).get("featureNames")


def _own(frame: dict[str, Any], question: Question) -> dict[str, Any]:
    """The frame with the lists about features cut to the question's own."""
    name = _feature(question)
    return {
        key: [one for one in value if not isinstance(one, dict) or one.get(_FEATURE, name) == name]
        if isinstance(value, list)
        else value
        for key, value in frame.items()
    }


def _ordered(buckets: Sequence[Any], size: str | None) -> list[Bucket]:
    found: dict[datetime, Bucket] = {}
    for bucket in buckets:
        # Taken out in place: nobody else reads these objects, and copying each costs more than the rest.
        period = bucket.pop(_PERIOD, None) if isinstance(bucket, dict) else None
        start = parse_time(period.get("start")) if isinstance(period, dict) else None
        end = parse_time(period.get("end")) if isinstance(period, dict) else None
        if start is None or end is None:
            raise Malformed("A bucket has no period.")
        if not _is_asked(start, end, size):
            raise Malformed(f"A bucket is not one of those that were asked for ({size}).")
        if found.setdefault(start, (start, end, bucket)) != (start, end, bucket):
            raise Malformed("Two buckets of one time say different things.")
    return [found[start] for start in sorted(found)]


def _is_asked(start: datetime, end: datetime, size: str | None) -> bool:
    """Whether it begins with an hour or a day and lasts at most as long; the last one may be cut."""
    floor, length = (floor_hour, HOUR) if size == Size.HOUR else (floor_day, DAY)
    return start == floor(start) and start < end <= start + length


def changed(fresh: Sequence[Bucket], known: Mapping[datetime, tuple[datetime, dict[str, Any]]]) -> list[Bucket]:
    """The buckets that are new, or differ from what is known of them (start -> end, values)."""
    return [bucket for bucket in fresh if known.get(bucket[0]) != (bucket[1], bucket[2])]
