"""Verifies one webhook with PyPI's standardwebhooks: JSON {secret, headers, body} on standard input. Says `right`, then that an
altered body is refused."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

given = json.load(sys.stdin)
# The library compares the time with its own clock; the tests' clock is another one.
import standardwebhooks.webhooks as library
from datetime import datetime, timezone

sent = datetime.fromtimestamp(int(given["headers"]["webhook-timestamp"]), tz=timezone.utc)


class Clock(datetime):
    @classmethod
    def now(cls, tz=None):
        return sent


library.datetime = Clock
webhook = Webhook(given["secret"])
event = webhook.verify(given["body"], given["headers"])
print("right", event["type"])
try:
    webhook.verify(given["body"].replace("paid", "pald"), given["headers"])
    print("altered: accepted")
except WebhookVerificationError:
    print("altered: refused")
