"""The process that holds an ONNX model: bytes in, numbers out, and nothing else at hand.

Run as `python -m deployments.scoring.sandbox`. It limits its own memory, refuses models that reach for files or for
operators of others, and speaks over its standard input and output: a line of JSON, then as many bytes as the line
says. The first message is the model, each further one a table (an Arrow stream) with the plan of its inputs.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any, BinaryIO

import numpy as np
import onnx
import onnxruntime
import polars as pl
from onnx.external_data_helper import uses_external_data

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
_QUIET = 3


class Unusable(ValueError):
    """The model cannot be run here; the message is for people."""


def main() -> None:
    """Serve one model until the input ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    head = json.loads(source.readline())
    megabytes = int(head["memory"]) * 1_048_576
    resource.setrlimit(resource.RLIMIT_AS, (megabytes, megabytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        content = source.read(int(head["bytes"]))
        session = load(content, int(head["threads"]))
        answer(sink, described(content, session))
    except Exception as error:
        answer(sink, {"error": sentence(error)})
        return
    while line := source.readline():
        serve(session, json.loads(line), source, sink)


def load(content: bytes, threads: int) -> onnxruntime.InferenceSession:
    """The model as a session. Raises Unusable for one that needs files or unknown operators."""
    model = onnx.load_model_from_string(content)
    for graph in graphs(model.graph):
        if any(uses_external_data(tensor) for tensor in graph.initializer):
            raise Unusable("The model keeps weights in other files; it must be one file.")
        strange = sorted({node.domain for node in graph.node} - DOMAINS)
        if strange:
            raise Unusable(f"The model uses operators of {strange[0]}, which are not known here.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.enable_cpu_mem_arena = False
    options.log_severity_level = _QUIET
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def graphs(graph: Any) -> list[Any]:
    """The graph and all graphs inside its nodes."""
    found = [graph]
    for node in graph.node:
        for attribute in node.attribute:
            inner = [attribute.g] if attribute.HasField("g") else []
            for part in (*inner, *attribute.graphs):
                found += graphs(part)
    return found


def described(content: bytes, session: onnxruntime.InferenceSession) -> dict[str, Any]:
    """Inputs, outputs, metadata and the class labels that the model itself names."""
    model = onnx.load_model_from_string(content)
    return {
        "inputs": [{"name": one.name, "type": one.type, "shape": list(one.shape)} for one in session.get_inputs()],
        "outputs": [{"name": one.name, "type": one.type, "shape": list(one.shape)} for one in session.get_outputs()],
        "metadata": {entry.key: entry.value for entry in model.metadata_props},
        "labels": labels_in(model),
    }


def labels_in(model: Any) -> list[str]:
    """The class labels of the model's last classifier, [] if it names none."""
    for graph in graphs(model.graph):
        for node in reversed(graph.node):
            for attribute in node.attribute:
                if attribute.name in LABELS and (attribute.strings or attribute.ints):
                    return [word.decode() for word in attribute.strings] or [str(number) for number in attribute.ints]
    return []


def serve(session: onnxruntime.InferenceSession, head: Any, source: BinaryIO, sink: BinaryIO) -> None:
    """Score one table."""
    raw = source.read(int(head["bytes"]))
    try:
        table = pl.read_ipc_stream(io.BytesIO(raw))
        feeds = {one["name"]: tensor(table, one) for one in head["inputs"]}
        names = [head["output"], *([head["label"]] if head.get("label") else [])]
        values, *labels = session.run(names, feeds)
        columns = numbers(values, head.get("keys") or [], table.height)
        if labels:
            columns["label"] = pl.Series([str(label) for label in np.asarray(labels[0]).reshape(-1)], dtype=pl.String)
        out = io.BytesIO()
        pl.DataFrame(columns).write_ipc_stream(out)
    except Exception as error:
        answer(sink, {"error": sentence(error)})
        return
    answer(sink, {}, out.getvalue())


def tensor(table: pl.DataFrame, plan: Any) -> np.ndarray[Any, Any]:
    """The columns of one input as the array that the model wants; missing numbers are NaN, missing words empty."""
    if plan["type"] == "string":
        parts = [table[name].fill_null("").to_numpy().astype(object) for name in plan["columns"]]
    else:
        parts = [number(table[name], plan["type"]) for name in plan["columns"]]
    return np.column_stack(parts) if plan["rank"] != 1 else parts[0]


def number(column: pl.Series, kind: str) -> np.ndarray[Any, Any]:
    """A numeric column in the model's type."""
    if not kind.startswith("float") and column.null_count():
        raise Unusable(f"The model takes no missing values in {column.name}, and some are missing.")
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy().astype(kind)


def numbers(values: Any, keys: list[str], rows: int) -> dict[str, pl.Series]:
    """An output as columns `0`, `1` …: a tensor, or a list of dictionaries by class."""
    if isinstance(values, list):
        table = np.array([[{str(k): v for k, v in row.items()}[key] for key in keys] for row in values], np.float64)
    else:
        table = np.asarray(values, np.float64).reshape(rows, -1) if rows else np.empty((0, max(1, len(keys))))
    return {str(place): pl.Series(table[:, place]) for place in range(table.shape[1])}


def answer(sink: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    """Write one message."""
    sink.write(json.dumps({**head, "bytes": len(body)}).encode() + b"\n" + body)
    sink.flush()


def sentence(error: Exception) -> str:
    """An error for people: its first line, not too long."""
    if isinstance(error, MemoryError):
        return "The model needs more memory than SCORING_MEMORY_MB allows."
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:300]


if __name__ == "__main__":
    main()
