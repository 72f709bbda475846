"""Messages about incidents: notice -> who hears (pure) -> compose -> outbox -> send.

Lost mail is worse than doubled mail.
"""

from monitoring.mail.addressee import Addressee
from monitoring.mail.chart import Limit, MailChart
from monitoring.mail.decide import decide
from monitoring.mail.hears import who_hears
from monitoring.mail.loosened import tell_loosened
from monitoring.mail.outbox import send_due, try_again
from monitoring.mail.testing import send_test

__all__ = [
    "Addressee",
    "Limit",
    "MailChart",
    "decide",
    "send_due",
    "send_test",
    "tell_loosened",
    "try_again",
    "who_hears",
]
