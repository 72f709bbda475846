"""The verdict on service health: answers with errors."""

from __future__ import annotations

from dataclasses import dataclass

from metrics.health.status import Status, Verdict
from metrics.wording import plural, share


@dataclass(frozen=True)
class ServiceFacts:
    """What a service did in the window; `ever` says whether any request came at any time."""

    requests: int
    user_errors: int
    server_errors: int
    predictions: int = 0
    ever: bool = True


def judge_service(
    facts: ServiceFacts, *, window: str = "24\u202fh", timely: bool = False, last: Verdict | None = None
) -> Verdict:
    """Any 5xx answer is failing, else any 4xx answer a warning, else passing.

    Without requests the status is unknown; but where timeliness watches for silence (`timely`), the last verdict
    stays. `window` is put into the sentence: "3 server errors in 24 h".
    """
    evidence = {
        "requests": facts.requests,
        "userErrors": facts.user_errors,
        "serverErrors": facts.server_errors,
        "predictions": facts.predictions,
    }
    if not facts.requests:
        if not facts.ever:
            return Verdict(Status.NOT_STARTED, "No request received yet.", evidence)
        if timely and last is not None and last.status.is_verdict:
            return last
        return Verdict(Status.UNKNOWN, f"No request in {window}.", evidence)
    for status, count, noun in (
        (Status.FAILING, facts.server_errors, "server error"),
        (Status.WARNING, facts.user_errors, "user error"),
    ):
        if count:
            part = f"{share(count / facts.requests)} of {plural(facts.requests, 'request')}"
            return Verdict(status, f"{plural(count, noun)} in {window}, {part}; limit 1.", evidence)
    return Verdict(Status.PASSING, f"No error in {plural(facts.requests, 'request')} in {window}.", evidence)
