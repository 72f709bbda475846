"""The watcher about itself: what each of its figures means, and what to do about it."""

from __future__ import annotations

from dashboard.glossary.entry import Entry

SECTION, GROUP = "Sources", "The watcher itself"


def _of(name: str, meaning: str, do: str, *also: str, unit: str = "", better: str = "lower", how: str = "") -> Entry:
    return Entry(name, meaning, how, unit, better=better, do=do, section=SECTION, group=GROUP, also=also)


ENTRIES = (
    _of(
        "Deployments watched",
        "Deployments that the enabled sources list.",
        "If one is missing, the source's token may not see it: share the deployment with the token's user.",
        "vitals_deployments_watched",
        "vitals_deployments",
        better="all that you have",
    ),
    _of(
        "Without fresh data",
        "Deployments about which no answer came for 15 minutes.",
        "Look at the sources below: one of them is silent, or polling is behind (see poll lag).",
        "vitals_deployments_stale",
    ),
    _of(
        "Age of the data",
        "Time since the last answer about a deployment: the list that names it, or a poll of its own.",
        "Above a few minutes at the 95th percentile: the source is slow or workers are too few. Add a worker for the "
        "queue poll, or raise POLL_CONCURRENCY if the source can bear it.",
        "vitals_data_age_seconds",
        unit="time",
        how="Quantiles over all deployments.",
    ),
    _of(
        "Poll coverage",
        "Questions that got an answer, of all that were asked in the last hour.",
        "Below 99 %: the error stands beside the source. 401 and 403 want a new token, timeouts a longer POLL_TIMEOUT.",
        "vitals_source_poll_coverage_ratio",
        "vitals_poll_questions",
        unit="%",
        better="higher",
        how="A refusal (“not enabled”) counts as an answer.",
    ),
    _of(
        "Poll lag",
        "How long the most overdue poll has been waiting for a worker.",
        "Above two minutes: is a worker for the queue poll running? Then add one, or lengthen POLL_SECONDS.",
        "vitals_poll_lag_seconds",
        "vitals_polls_overdue",
        unit="time",
    ),
    _of(
        "Last run",
        "When the deployment list was read, and when deployments were polled, for the last time.",
        "Above five minutes: beat or the workers stand still. Look at their logs and restart them.",
        "vitals_last_run_age_seconds",
        unit="time",
    ),
    _of(
        "Questions waiting",
        "Answers that pages asked for and no source has given yet.",
        "The oldest above a minute: the workers are busy, or the source is slow or silent.",
        "vitals_questions_waiting",
        "vitals_questions_oldest_seconds",
    ),
    _of(
        "Changes waiting",
        "Changes at sources that people asked for and no worker has carried out.",
        "The oldest above a minute: the source is silent, or no worker runs. They are carried out once it answers.",
        "vitals_commands_waiting",
        "vitals_commands_oldest_seconds",
    ),
    _of(
        "Messages, last day",
        "Mail, webhooks and chat messages by state, and all that wait.",
        "In doubt: handed over without an answer, repeated once under the same id. Given up or bounced: open the list "
        "of mail, read why, and send again. Kept here: no mail server is set (EMAIL_URL).",
        "vitals_messages",
        "mail",
        better="sent",
    ),
    _of(
        "Oldest waiting message",
        "How long the oldest message that should be out is overdue.",
        "Above five minutes: does the mail server answer, and does a worker for the queue mail run?",
        "vitals_messages_oldest_waiting_seconds",
        unit="time",
    ),
    _of(
        "Ping to the outside",
        "A call to an outside watcher while polling and mail work, so that silence of Vitals itself is noticed.",
        "Set DEADMAN_URL to a check of such a service. Held: it stays away on purpose, because something is wrong.",
        better="sent a few minutes ago",
    ),
    _of(
        "Source answering",
        "Whether the source answers; silent since its first failure after the last good answer.",
        "Read the error beside it. Pages keep showing the last data with their age, statuses stay as last known.",
        "vitals_source_up",
        "vitals_source_silent_seconds",
        "sources answering",
        better="1",
    ),
    _of(
        "Circuit breaker",
        "After five failures in a row nobody calls the source for a while, 30 seconds at first, 15 minutes at most.",
        "Nothing: it closes by itself with the first good answer. A connection test calls at once.",
        "vitals_source_breaker_open",
        "breaker",
        better="closed",
    ),
    _of(
        "Duration of a poll",
        "How long one poll of some deployments takes, on average over the last hour.",
        "The slowest source holds up its own deployments only. Ask its operators, or lower POLL_BATCH.",
        "vitals_source_poll_seconds",
        unit="seconds",
    ),
    _of(
        "New rows",
        "Snapshots that were stored in the last hour.",
        "None for hours while predictions come: look at the newest runs for problems.",
        "vitals_poll_rows",
        unit="rows",
        better="some, while predictions come",
    ),
    _of(
        "Database size",
        "Size of the whole database on disk.",
        "Growing beyond its disk: shorten RETENTION_ROWS_DAYS and RETENTION_SNAPSHOTS_DAYS, then let the nightly "
        "retention work.",
        "vitals_database_bytes",
        unit="bytes",
    ),
    _of(
        "Queues",
        "Tasks that wait for a worker, by queue.",
        "Hundreds that do not get fewer: add a worker for that queue (role worker -Q name).",
        "vitals_queue_length",
        unit="tasks",
    ),
    _of(
        "Rows a second",
        "Rows of predictions, actuals and service events that the service took in, over the last five minutes.",
        "0 while models are at work: does the sender get 202? Its error says what is wrong.",
        "vitals_ingest_rows_per_second",
        "vitals_ingest_requests_per_second",
        unit="rows a second",
        better="as expected",
    ),
    _of(
        "Roll-ups waiting",
        "Hours and batches whose figures are older than their rows, and how long the oldest new rows wait.",
        "Lag above a minute: add a worker for the queue rollup. Figures on the pages are behind by as much.",
        "vitals_rollup_dirty_buckets",
        "vitals_rollup_pending_blocks",
        "vitals_rollup_lag_seconds",
    ),
    _of(
        "Jobs of the service",
        "Exports, deletions, replays and the like that wait or run, and those that failed in the last day.",
        "The oldest above ten minutes: add a worker for the queue jobs. Failed ones say why on the tab History.",
        "vitals_jobs",
        "vitals_jobs_oldest_waiting_seconds",
    ),
)
