"""Jobs of the service, done for real: an export that downloads, a rendered report, a metric from a custom job."""

from demo.sending import Sender

EXPORTED, REPORTED, MEASURED = "arrival-delay", ("late-departures", "arrival-delay"), "late-departures"
REPORT = "Weekly health of the flight models"
METRIC = "Missing values in the last hour"
RECIPE = "Missing rate"
MONDAY_AT_SEVEN = {"minute": [0], "hour": [7], "dayOfWeek": ["mon"]}


def add(sender: Sender) -> None:
    """Make what is missing of the three."""
    _export(sender)
    _report(sender)
    _metric(sender)


def _export(sender: Sender) -> None:
    """All predictions that are kept of one deployment, each beside its actual."""
    path = f"{sender.deployed[EXPORTED].path}/predictionDataExports/"
    if not sender.client.get(path)["totalCount"]:
        sender.client.send("POST", path, {"augmentationType": "ACTUALS", "format": "parquet"})


def _report(sender: Sender) -> None:
    """A report every Monday, and one at once. It is for nobody: the demo mails no one."""
    known = {row["name"]: row["id"] for row in sender.client.all("scheduledReports/")}
    if REPORT not in known:
        body = {
            "name": REPORT,
            "deploymentIds": [sender.deployed[slug].deployment_id for slug in REPORTED],
            "schedule": MONDAY_AT_SEVEN,
            "days": 28,
        }
        known[REPORT] = sender.client.send("POST", "scheduledReports/", body)["id"]
    if not sender.client.get(f"scheduledReports/{known[REPORT]}/runs/")["totalCount"]:
        sender.client.send("POST", f"{sender.deployed[REPORTED[0]].path}/onDemandReports/", {"id": known[REPORT]})


def _metric(sender: Sender) -> None:
    """The share of missing values, worked out by the service five minutes after every hour."""
    path = f"{sender.deployed[MEASURED].path}/customMetrics/"
    if METRIC in {row["name"] for row in sender.client.all(path)}:
        return
    recipe = next(row["id"] for row in sender.client.all("customJobs/") if row["name"] == RECIPE)
    body = {"customJobId": recipe, "name": METRIC, "schedule": {"minute": [5]}}
    made = sender.client.send("POST", f"{path}fromCustomJob/", body)
    sender.client.send("POST", f"{path}{made['id']}/customJobRuns/", {})
