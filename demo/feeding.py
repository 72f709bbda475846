"""One live feed with all that it needs: the kept flights and models, the source's address and token."""

from datetime import datetime

from demo import live, store, watching
from demo.client import Client
from demo.registration import find_all
from demo.sending import Sender


def feed_now(now: datetime) -> int:
    """Feed what has passed since the last feed; answers the prediction rows sent."""
    feed = live.claim(now)
    if feed is None:
        return 0
    try:
        source = watching.source()
        with Client(source.base_url, source.token) as client:
            sender = Sender(client, find_all(client), store.models(), store.last_week())
            sent = live.send(sender, feed)
    except BaseException:
        live.release()
        raise
    live.finish(feed)
    return sent
