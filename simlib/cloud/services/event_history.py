"""CloudTrail's event history: the trail, as `LookupEvents` tells it.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.cloudtrail import record
from simlib.cloud.transport.refusals import Objection

_PAGE = 50
# Calls on data are not in the history:
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
_ON_DATA = re.compile(
    r"s3:\w*(Object|Upload|Part)\w*|dynamodb:(\w*Items?|Query|Scan)|lambda:Invoke\w*|sqs:\w*Message\w*|sns:Publish\w*"
)


def lookup_events(context: CallContext) -> Mapping[str, Any]:
    """The account's calls in this Region that fit, the newest first."""
    parameters = context.parameters
    start, token = parameters.get("StartTime"), str(parameters.get("NextToken") or 0)
    end, wanted = parameters.get("EndTime"), parameters.get("LookupAttributes", ())
    if start and end and start > end:
        raise Objection("InvalidTimeRangeException", "The start time must be before the end time.", 400)
    if not token.isdecimal():
        raise Objection("InvalidNextTokenException", "The NextToken is invalid.", 400)
    events = []
    for call in reversed(context.trail):
        here = call.account == context.caller.account and call.region == context.call.region
        if here and call.operation and not _ON_DATA.fullmatch(f"{call.service}:{call.operation}"):
            event = _event(record(call), call.when)
            moment = call.when.astimezone(UTC).replace(tzinfo=None)
            in_time = (not start or moment >= start) and (not end or moment <= end)
            if in_time and all(event.get(each["AttributeKey"]) == each["AttributeValue"] for each in wanted):
                events.append(event)
    first, size = int(token), int(parameters.get("MaxResults") or _PAGE)
    more = {"NextToken": str(first + size)} if first + size < len(events) else {}
    return {"Events": events[first : first + size], **more}


def _event(entry: Mapping[str, Any], when: datetime) -> dict[str, Any]:
    who = entry["userIdentity"]
    name = who.get("userName") or str(who.get("principalId", "")).partition(":")[2]
    event = {
        "EventId": entry["eventID"], "EventName": entry["eventName"], "ReadOnly": str(entry["readOnly"]).lower(),
        "AccessKeyId": who.get("accessKeyId", ""), "EventTime": when, "EventSource": entry["eventSource"],
        "Username": name, "Resources": [], "CloudTrailEvent": json.dumps(entry),
    }  # fmt: skip
    return {member: value for member, value in event.items() if value != ""}


ANSWERS = {"cloudtrail:LookupEvents": lookup_events}
