"""How the states of each area are made and added: the engine knows areas only through these tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from deployments.models import Area, DeployedModel, Grain, HumilityRule
from deployments.rollups import compute, fairness, humility, space
from deployments.rollups.cuts import Attribute
from deployments.rollups.piece import Piece
from deployments.rollups.states import (
    Layout,
    decode_accuracy,
    decode_predictions,
    decode_service,
    merge_accuracy,
    merge_predictions,
    merge_service,
)
from deployments.rollups.write import Row


def made(area: Area, piece: Piece, followed: Sequence[Attribute]) -> Iterable[Row]:
    """The states of an area in a piece: attribute, value, bucket and payload of each."""
    return _MADE[area](piece, followed)


def added(area: Area, payloads: Sequence[bytes], layout: Layout) -> bytes:
    """The sum of encoded states; `layout` is that of the model's features."""
    return payloads[0] if len(payloads) == 1 else _ADDED[area](payloads, layout)


def wanted(area: Area, model: DeployedModel, followed: Sequence[Attribute]) -> bool:
    """Whether an area that is made beside another one is switched on."""
    if area is Area.HUMILITY:
        return HumilityRule.objects.filter(deployment_id=model.deployment_id).exists()
    return bool(followed)


def _service(piece: Piece, followed: Sequence[Attribute]) -> Iterable[Row]:
    cuts = piece.cuts(followed)
    return piece.labelled(cuts, compute.service(piece.table, cuts, by_time=piece.grain is not Grain.BATCH))


def _predictions(piece: Piece, followed: Sequence[Attribute]) -> Iterable[Row]:
    cuts = piece.cuts(followed)
    return piece.labelled(cuts, compute.predictions(piece.columns, cuts, piece.counted))


def _accuracy(piece: Piece, followed: Sequence[Attribute]) -> Iterable[Row]:
    cuts = piece.cuts(followed)
    return piece.labelled(cuts, compute.accuracy(piece.scored, cuts, piece.counted))


_MADE: Mapping[Area, Callable[[Piece, Sequence[Attribute]], Iterable[Row]]] = {
    Area.SERVICE: _service,
    Area.PREDICTIONS: _predictions,
    Area.ACCURACY: _accuracy,
    Area.FAIRNESS: fairness.states,
    Area.HUMILITY: humility.states,
    Area.SPACE: space.prediction_states,
    Area.SPACE_ACCURACY: space.accuracy_states,
}
_ADDED: Mapping[Area, Callable[[Sequence[bytes], Layout], bytes]] = {
    Area.SERVICE: lambda raw, _: merge_service([decode_service(one) for one in raw]).encode(),
    Area.PREDICTIONS: lambda raw, layout: merge_predictions([decode_predictions(o, layout) for o in raw]).encode(
        layout
    ),
    Area.ACCURACY: lambda raw, _: merge_accuracy([decode_accuracy(one) for one in raw]).encode(),
    Area.FAIRNESS: lambda raw, _: fairness.added(raw),
    Area.HUMILITY: lambda raw, _: humility.added(raw),
    Area.SPACE: lambda raw, _: space.added(raw),
    Area.SPACE_ACCURACY: lambda raw, _: space.added(raw),
}
