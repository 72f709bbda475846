"""Mail about verdicts: decide (pure) -> compose -> outbox -> send. Lost mail is worse than doubled mail."""

from monitoring.mail.chart import Limit, MailChart
from monitoring.mail.decide import decide
from monitoring.mail.outbox import compose_test, send_due
from monitoring.mail.why import why_notify

__all__ = ["Limit", "MailChart", "compose_test", "decide", "send_due", "why_notify"]
