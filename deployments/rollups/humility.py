"""How often each humility rule applied, by bucket and segment. A rule is known by its key, which is never reused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from deployments.blocks import RULE
from deployments.models import Area
from deployments.rollups.cuts import Attribute
from deployments.rollups.piece import Piece
from deployments.rollups.read import Bucket, Scope, stored
from deployments.rollups.write import Row
from metrics import rows_by_group

Counts = Mapping[int, int]

_DECODER = msgspec.msgpack.Decoder(dict[int, int])


def states(piece: Piece, followed: Sequence[Attribute]) -> Iterable[Row]:
    """The rules that applied in each bucket, and in each of a segment; nothing where none did."""
    columns = [name for name in piece.table.columns if name.startswith(RULE)]
    if not columns:
        return []
    masks = {int(name.removeprefix(RULE)): piece.table[name].fill_null(False).to_numpy() for name in columns}
    cuts, found = piece.cuts(followed), []
    for cut in cuts:
        counts = {rule: rows_by_group(np.where(mask, cut.group, -1), cut.n_groups) for rule, mask in masks.items()}
        by_group = [{rule: int(own[g]) for rule, own in counts.items() if own[g]} for g in range(cut.n_groups)]
        found.append([encode(own) if own else None for own in by_group])
    return piece.labelled(cuts, found)


def encode(counts: Counts) -> bytes:
    """A state as bytes."""
    return msgspec.msgpack.encode(dict(counts))


def decode(payload: bytes) -> Counts:
    """What `encode` wrote."""
    return _DECODER.decode(payload)


def merge(parts: Sequence[Counts]) -> Counts:
    """All rows of the parts together."""
    total: Counter[int] = Counter()
    for part in parts:
        total.update(part)
    return total


def added(payloads: Sequence[bytes]) -> bytes:
    """The sum of encoded states."""
    return encode(merge([decode(raw) for raw in payloads]))


def over(scope: Scope, buckets: Sequence[Bucket]) -> list[Counts]:
    """How often each rule (by its key) applied in each bucket; the buckets begin and end on whole hours."""
    return [merge([decode(raw) for raw in payloads]) for payloads in stored(scope, Area.HUMILITY, buckets)]
