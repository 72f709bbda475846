"""Custom jobs that are an address: called with what is wanted, they answer the values.

Asked: POST of JSON `{"deploymentId", "modelId", "customMetricId", "period": {"start", "end"}, "requestId"}`. Answered:
`{"buckets": [...]}` as `customMetrics/{id}/fromJSON/` takes them (or 204 for none). Who would rather report by
`fromJSON` sends the `requestId` along, so that an hour that is asked for twice counts once all the same.
"""

from __future__ import annotations

from datetime import timedelta

import httpx
import msgspec

from deployments import addresses
from deployments.addresses import AddressRefused
from deployments.custom_metrics.bodies import ReportedValue
from deployments.models import CustomMetric, DeployedModel
from metrics.buckets import Bucket

PATIENCE = 30.0
LARGEST = 1 << 20
MOST_VALUES = 1000


class NotAnswered(RuntimeError):
    """The address did not answer values; the message is for people."""


class Answer(msgspec.Struct):
    """The values of the period."""

    buckets: list[ReportedValue] = []


def ask(url: str, metric: CustomMetric, model: DeployedModel, period: Bucket, request_id: str) -> list[ReportedValue]:
    """The values that an address gives for a period. Raises NotAnswered."""
    wanted = {
        "deploymentId": metric.deployment.public_id,
        "modelId": model.public_id,
        "customMetricId": metric.public_id,
        "period": {"start": period[0].isoformat(), "end": period[1].isoformat()},
        "requestId": request_id,
    }
    try:
        addresses.check(url)
        with addresses.client(PATIENCE) as client, client.stream("POST", url, json=wanted) as answer:
            raw = b""
            for part in answer.iter_bytes():
                raw += part
                if len(raw) > LARGEST:
                    raise NotAnswered("The answer is larger than 1 MiB.")
            status = answer.status_code
    except AddressRefused as refused:
        raise NotAnswered(str(refused)) from None
    except httpx.HTTPError as error:
        raise NotAnswered(f"The address could not be reached: {error}") from None
    if status in (202, 204):
        return []
    if status != 200:
        raise NotAnswered(f"The address answered {status}.")
    try:
        found = msgspec.json.decode(raw, type=Answer).buckets
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAnswered(f"The answer is not as it should be: {error}") from None
    if len(found) > MOST_VALUES:
        raise NotAnswered(f"More than {MOST_VALUES} values.")
    return [msgspec.structs.replace(one, timestamp=one.timestamp or _stamp(period)) for one in found]


def _stamp(period: Bucket) -> str:
    return (period[1] - timedelta(seconds=1)).isoformat()
