"""Watch a scikit-learn model: python examples/watch_sklearn_model.py <apiUrl> <apiToken> (`make demo` prints both)."""

import sys
import time
from datetime import UTC, datetime

import httpx
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

api = httpx.Client(base_url=sys.argv[1], headers={"Authorization": f"Bearer {sys.argv[2]}"}, timeout=60)
table = load_breast_cancer(as_frame=True).frame.astype({"target": str})
train, hold, live, names = table[:200], table[200:350], table[350:], list(table.columns[:10])
model = RandomForestClassifier(random_state=0).fit(train[names], train["target"])
impact = dict(zip(names, model.feature_importances_ / model.feature_importances_.max(), strict=True))


def send(path, **sent):
    return api.post(path, **sent).raise_for_status().json()


files = [train.to_csv(index=False), hold.assign(prediction=model.predict_proba(hold[names])[:, 1]).to_csv(index=False)]
training, holdout = (send("datasets/fromFile/", files={"file": ("rows.csv", text, "text/csv")})["id"] for text in files)
target = {"name": "target", "type": "Binary", "classNames": ["0", "1"]}
features = [{"name": name, "type": "Numeric", "featureImpact": value} for name, value in impact.items()]
package = {"name": "Benign or malignant", "target": target, "features": features}
package |= {"trainingDatasetId": training, "holdoutDatasetId": holdout}
wanted = {"label": "Tumours", "modelPackageId": send("modelPackages/", json=package)["id"]}
path = f"deployments/{send('deployments/fromModelPackage/', json=wanted)['id']}/"
now, ids, started = datetime.now(UTC).isoformat(), [f"patient-{i}" for i in live.index], time.perf_counter()
rows = {"timestamp": now, "associationIds": ids, "predictions": model.predict_proba(live[names]).tolist()}
event = {"timestamp": now, "numPredictions": len(ids), "executionTime": (time.perf_counter() - started) * 1000}
rows["features"] = [{"name": name, "values": live[name].tolist()} for name in names]
send(f"{path}predictionInputs/fromJSON/", json={"data": [rows]})
send(f"{path}predictionRequests/fromJSON/", json={"data": [event | {"userError": False, "systemError": False}]})
truth = [{"associationId": i, "actualValue": y} for i, y in zip(ids, live["target"], strict=True)]
send(f"{path}actuals/fromJSON/", json={"data": truth})
while not (auc := api.get(f"{path}accuracy/").json()["metrics"]["AUC"])["value"]:
    time.sleep(1)
print(f"{path} has AUC {auc['value']:.3f}, on the holdout {auc['baselineValue']:.3f}")
