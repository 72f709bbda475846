"""Artifacts and scoring addresses: what is refused, and that answers are those of scikit-learn."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import onnx
import polars as pl
import pytest
from onnx import TensorProto, helper
from pytest_django import Settings
from rest_framework.test import APIClient
from skl2onnx import to_onnx
from sklearn.linear_model import LinearRegression

from deployments import addresses, artifacts, runtime
from deployments.api.authentication import issue
from deployments.ingest.errors import Refused
from deployments.models import Deployment, ModelPackage
from deployments.scoring.errors import ScoringFailed
from deployments.scoring.process import Sandbox
from deployments.scoring.scorer import open_scorer
from tests.deployments.factories import make_deployment, make_package, make_user
from tests.deployments.onnx_models import make_scoring_package, onnx_of, predicted

pytestmark = pytest.mark.django_db
ROWS = pl.DataFrame({"f:age": [25.0, 44.0, 66.0], "f:town": ["Oslo", "Bergen", "Oslo"]})
AGES, TOWNS = [25.0, 44.0, 66.0], ["Oslo", "Bergen", "Oslo"]


def scored(package: ModelPackage, rows: pl.DataFrame = ROWS) -> dict[str, pl.Series]:
    with open_scorer(package) as scorer:
        return scorer.predict(rows)


def test_a_binary_artifact_gives_the_probability_of_the_positive_class() -> None:
    found = scored(make_scoring_package("Binary"))
    assert np.allclose(found["p"].to_numpy(), predicted("Binary", AGES, TOWNS)[:, 1], atol=1e-5)


def test_the_classes_of_an_artifact_are_put_into_the_packages_order() -> None:
    package = make_scoring_package("Multiclass")
    assert package.class_names == ["red", "green", "blue"]
    assert package.signature["classes"] == ["blue", "green", "red"]
    found, sklearns = scored(package), predicted("Multiclass", AGES, TOWNS)
    for column, place in (("p0", 2), ("p1", 1), ("p2", 0)):
        assert np.allclose(found[column].to_numpy(), sklearns[:, place], atol=1e-5)


def test_an_output_of_dictionaries_is_read_by_its_keys() -> None:
    package = artifacts.attach(make_package("Multiclass"), onnx_of("Multiclass", zipmap=True), "zipped.onnx")
    plain = make_scoring_package("Multiclass")
    assert all(np.allclose(scored(package)[name], scored(plain)[name]) for name in ("p0", "p1", "p2"))


def test_a_regression_artifact_gives_its_number() -> None:
    found = scored(make_scoring_package("Regression"))
    assert np.allclose(found["p"].to_numpy(), predicted("Regression", AGES, TOWNS), rtol=1e-5)


def test_a_single_input_takes_the_numeric_features_in_order() -> None:
    model = LinearRegression().fit(np.array([[1.0], [2.0], [3.0]]), [2.0, 4.0, 6.0])
    content = to_onnx(model, np.zeros((1, 1), np.float32)).SerializeToString()
    package = artifacts.attach(make_package("Regression"), content, "matrix.onnx")
    assert package.signature["inputs"][0]["columns"] == ["age"]
    assert np.allclose(scored(package)["p"], [50.0, 88.0, 132.0])


def test_missing_values_reach_the_model_as_missing() -> None:
    rows = pl.DataFrame({"f:age": [None, 30.0]}, schema={"f:age": pl.Float64})
    package = make_scoring_package("Regression")
    with pytest.raises(ScoringFailed, match="Row 1 has no finite prediction"):
        scored(package, rows)
    unknown_town = scored(package, rows.filter(pl.col("f:age").is_not_null()))["p"][0]
    bergen, oslo = predicted("Regression", [30.0, 30.0], ["Bergen", "Oslo"])
    assert min(bergen, oslo) < unknown_town < max(bergen, oslo)


def test_many_rows_are_scored_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.scoring.scorer.MOST_ROWS", 7)
    ages = [20.0 + i for i in range(30)]
    rows = pl.DataFrame({"f:age": ages, "f:town": ["Oslo"] * 30})
    found = scored(make_scoring_package("Binary"), rows)["p"].to_numpy()
    assert np.allclose(found, predicted("Binary", ages, ["Oslo"] * 30)[:, 1], atol=1e-5)


def graph_model(*nodes: Any, inputs: list[Any], outputs: list[Any], opsets: list[Any] | None = None) -> bytes:
    graph = helper.make_graph(list(nodes), "g", inputs, outputs)
    opsets = opsets or [helper.make_opsetid("", 17)]
    content: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    return content


def value(name: str, kind: int = TensorProto.FLOAT, width: int = 1) -> Any:
    return helper.make_tensor_value_info(name, kind, [None, width])


def refusal(package: ModelPackage, content: bytes) -> dict[str, str]:
    with pytest.raises(Refused) as caught:
        artifacts.attach(package, content, "model.onnx")
    package.refresh_from_db()
    assert not package.artifact
    return caught.value.errors


def test_what_is_no_model_is_refused() -> None:
    assert set(refusal(make_package(), b"not a model")) == {"file"}


def test_an_input_that_no_feature_fills_is_named() -> None:
    two = helper.make_node("Add", ["age", "height"], ["y"])
    content = graph_model(two, inputs=[value("age"), value("height")], outputs=[value("y")])
    assert set(refusal(make_package("Regression"), content)) == {"inputs[height]"}


def test_a_feature_of_another_type_is_named() -> None:
    content = graph_model(helper.make_node("Identity", ["town"], ["y"]), inputs=[value("town")], outputs=[value("y")])
    assert "Categorical" in refusal(make_package("Regression"), content)["inputs[town]"]


def test_weights_in_other_files_are_refused() -> None:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [2.0])
    weight.ClearField("float_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="/etc/hostname")
    graph = helper.make_graph(
        [helper.make_node("Mul", ["age", "w"], ["y"])], "g", [value("age")], [value("y")], initializer=[weight]
    )
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    assert "one file" in refusal(make_package("Regression"), content)["file"]


def test_operators_of_others_are_refused() -> None:
    node = helper.make_node("Anything", ["age"], ["y"], domain="somewhere.else")
    content = graph_model(
        *[node],
        inputs=[value("age")],
        outputs=[value("y")],
        opsets=[helper.make_opsetid("", 17), helper.make_opsetid("somewhere.else", 1)],
    )
    assert "somewhere.else" in refusal(make_package("Regression"), content)["file"]


def test_numbers_that_are_no_probabilities_are_refused() -> None:
    content = graph_model(helper.make_node("Identity", ["age"], ["y"]), inputs=[value("age")], outputs=[value("y")])
    package = make_package("Binary")
    artifacts.attach(package, content, "zero.onnx")  # age 0 is within 0 and 1: only real rows tell
    package.refresh_from_db()
    with pytest.raises(ScoringFailed, match="Probabilities lie between 0 and 1"):
        scored(package)


def test_labels_that_contradict_the_order_of_the_classes_are_refused() -> None:
    model = onnx.load_model_from_string(onnx_of("Binary"))
    entry = model.metadata_props.add()
    entry.key, entry.value = "classes", json.dumps(["yes", "no"])
    assert "highest probability" in refusal(make_package("Binary"), model.SerializeToString())["classes"]


def test_other_classes_are_refused() -> None:
    package = make_package("Binary", class_names=["cat", "dog"], positive_class="dog")
    assert "cat" in refusal(package, onnx_of("Binary"))["classes"]


def test_a_package_gets_one_artifact_only() -> None:
    package = make_scoring_package()
    with pytest.raises(artifacts.Taken):
        artifacts.attach(package, onnx_of(), "again.onnx")


def test_a_model_that_runs_too_long_is_ended(settings: Settings) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["again"]), helper.make_node("Identity", ["x"], ["x2"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            value("x"),
        ],
        [helper.make_tensor_value_info("again", TensorProto.BOOL, []), value("x2")],
    )
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    loop = helper.make_node("Loop", ["", "yes", "age"], ["y"], body=body)
    graph = helper.make_graph([loop], "g", [value("age")], [value("y")], initializer=[yes])
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    settings.SCORING_SECONDS = 4
    assert "SCORING_SECONDS" in refusal(make_package("Regression"), content)["file"]


def test_a_model_that_wants_too_much_memory_is_told_so(settings: Settings) -> None:
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [1, 4_000_000_000])
    nodes = [helper.make_node("Expand", ["age", "shape"], ["big"]), helper.make_node("ReduceSum", ["big"], ["y"])]
    graph = helper.make_graph(nodes, "g", [value("age")], [value("y")], initializer=[shape])
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    settings.SCORING_MEMORY_MB = 2048
    assert set(refusal(make_package("Regression"), content)) == {"file"}


def test_a_process_ends_with_its_block() -> None:
    with Sandbox(onnx_of()) as sandbox:
        process = sandbox._process
        assert process.poll() is None
    assert process.poll() is not None


# --- Addresses --------------------------------------------------------------------------------------------------


class Server(BaseHTTPRequestHandler):
    """A model server for the regression 2 × age, and for broken answers."""

    answer: Any = None
    seen: list[tuple[str, Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).seen.append((self.path, body))
        status, raw = type(self).answer(body)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(raw if isinstance(raw, bytes) else json.dumps(raw).encode())

    def log_message(self, *args: Any) -> None:
        pass


def twice(body: Any) -> tuple[int, Any]:
    ages = next(one["data"] for one in body["inputs"] if one["name"] == "age")
    return 200, {
        "outputs": [{"name": "predict", "shape": [len(ages)], "datatype": "FP64", "data": [2 * a for a in ages]}]
    }


@pytest.fixture
def server() -> Iterator[str]:
    Server.answer, Server.seen = staticmethod(twice), []
    http = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


def addressed(url: str, kind: str = "Regression", **more: Any) -> ModelPackage:
    return make_package(kind, scoring_address={"url": url, "modelName": "double", **more})


def test_an_address_is_asked_by_the_open_inference_protocol(server: str, settings: Settings) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = True
    rows = ROWS.with_columns(pl.Series("f:town", ["Oslo", None, "Oslo"]))
    assert scored(addressed(server, modelVersion="7"), rows)["p"].to_list() == [50.0, 88.0, 132.0]
    path, body = Server.seen[0]
    assert path == "/v2/models/double/versions/7/infer"
    assert body["inputs"] == [
        {"name": "age", "shape": [3, 1], "datatype": "FP64", "data": [25.0, 44.0, 66.0]},
        {"name": "town", "shape": [3, 1], "datatype": "BYTES", "data": ["Oslo", None, "Oslo"]},
    ]


def test_an_address_is_told_the_runtime_parameters_but_no_secrets(server: str, settings: Settings) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = True
    deployment = make_deployment("Regression")
    assert deployment.champion is not None
    defined = [
        {"fieldName": "retries", "type": "numeric", "defaultValue": 3, "maxValue": 9},
        {"fieldName": "region", "type": "string", "defaultValue": "north"},
        {"fieldName": "strict", "type": "boolean"},
        {"fieldName": "key", "type": "credential"},
    ]
    ModelPackage.objects.filter(pk=deployment.champion.package_id).update(runtime_parameters=defined)
    deployment = Deployment.objects.select_related("champion__package").get(pk=deployment.pk)
    chosen: dict[str, float | str] = {"retries": 7.0, "region": "south", "key": "secret"}
    runtime.replace(deployment, [runtime.Setting(name, value=value) for name, value in chosen.items()], None, "p")
    other = addressed(server)
    other.runtime_parameters = [*defined[:1], {"fieldName": "region", "type": "boolean"}, *defined[2:]]
    with open_scorer(other, deployment) as scorer:
        assert scorer.predict(ROWS)["p"].to_list() == [50.0, 88.0, 132.0]
    # `region` is of another type there, nothing was chosen for `strict`, and `key` is the champion's own
    assert Server.seen[-1][1]["parameters"] == {"retries": 7.0}
    with open_scorer(addressed(server), deployment) as scorer:
        scorer.predict(ROWS)
    assert "parameters" not in Server.seen[-1][1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((500, {"error": "no memory"}), "answered 500"),
        ((302, b""), "answered 302"),
        ((200, b"<html>"), "one prediction a row"),
        ((200, {"outputs": [{"name": "predict", "data": [1.0]}]}), "one prediction a row"),
        ((200, {"outputs": [{"name": "predict", "data": ["a", "b", "c"]}]}), "one prediction a row"),
        ((200, {"outputs": [{"name": "x", "data": []}, {"name": "y", "data": []}]}), "no output called"),
    ],
)
def test_what_an_address_answers_wrongly_is_told(
    server: str, settings: Settings, answer: tuple[int, Any], words: str
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = True
    Server.answer = staticmethod(lambda body: answer)
    with pytest.raises(ScoringFailed, match=words):
        scored(addressed(server))


def test_a_private_address_is_not_asked_unless_it_is_allowed(server: str, settings: Settings) -> None:
    port = server.rpartition(":")[2]
    with pytest.raises(addresses.AddressRefused):
        scored(addressed(server))
    by_name = addressed(f"http://localhost:{port}")
    with pytest.raises(ScoringFailed, match="may not be called"):
        scored(by_name)
    assert Server.seen == []
    settings.TRUSTED_HOSTS = [f"localhost:{port}"]
    assert scored(by_name)["p"].to_list() == [50.0, 88.0, 132.0]


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://169.254.169.254/x",
            "http://[fd00:ec2::254]/",
            "http://[::ffff:169.254.169.254]/",
            "ftp://a.example/",
        ),
        *("http://user:secret@a.example/", "http://a.example:port/", "nothing", "http://a.example/?q=1"),
    ],
)
def test_some_addresses_are_never_called(url: str, settings: Settings) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = True
    with pytest.raises(addresses.AddressRefused):
        addresses.check(url)


def test_an_artifact_goes_in_and_out_by_the_api() -> None:
    user = make_user()
    client = APIClient(headers={"Authorization": f"Bearer {issue(user, 'test')}"})
    package = make_package(owner=user)
    path = f"/api/v2/modelPackages/{package.public_id}/artifact/"
    octets = "application/octet-stream"
    assert client.get(path).status_code == 404
    assert client.post(path, b"nonsense", content_type=octets).status_code == 422
    answer = client.post(f"{path}?name=town.onnx", onnx_of(), content_type=octets)
    assert (answer.status_code, answer.json()["name"]) == (201, "town.onnx")
    assert client.post(path, onnx_of(), content_type=octets).status_code == 409
    assert client.get(path).getvalue() == onnx_of()
    assert client.get(f"/api/v2/modelPackages/{package.public_id}/").json()["artifact"] == answer.json()
    stranger = APIClient(headers={"Authorization": f"Bearer {issue(make_user(), 'test')}"})
    assert stranger.get(path).status_code == stranger.post(path, onnx_of(), content_type=octets).status_code == 404
