"""Messages about incidents: decide (pure) -> compose -> outbox -> send. Lost mail is worse than doubled mail."""

from monitoring.mail.addressee import Addressee
from monitoring.mail.chart import Limit, MailChart
from monitoring.mail.decide import decide
from monitoring.mail.outbox import send_due, try_again
from monitoring.mail.testing import send_test
from monitoring.mail.why import why_notify

__all__ = ["Addressee", "Limit", "MailChart", "decide", "send_due", "send_test", "try_again", "why_notify"]
