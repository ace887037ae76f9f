"""What the document cannot say of bodies: how lines are written, and what is later than now."""

import json
import time

import jsonschema_rs
import schemathesis

SECONDS_AHEAD = 24 * 3600


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    """One event a line."""
    events = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(event) for event in events).encode()


@schemathesis.serializer("text/plain")
def plain(ctx, value):
    """A visit, as a page sends it that does not ask first."""
    return json.dumps(value).encode()


CHOSEN_BY = (
    "sink", "status", "reason", "eventName", "eventId", "since", "until", "settledSince", "settledUntil",
)


@schemathesis.hook
def map_body(context, body):
    """Times that are too late, and amounts with too many digits, become what they might be."""
    for event in body if isinstance(body, list) else [body]:
        if isinstance(event, dict):
            mend_time(event)
            mend_amounts(event)
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    """A replay chooses something, and no span ends before it begins."""
    body = case.body
    if case.operation.path == "/api/replays" and isinstance(body, dict):
        for name in ("until", "settledUntil"):
            if name in body and isinstance(body[name], str):
                body[name] = None
        if all(body.get(name) is None for name in CHOSEN_BY):
            body["reason"] = "rejected"
    if case.operation.path == "/api/events" and isinstance(body, list):
        # Each event has its own answer: where some are wrong, the right ones would make it a 202.
        case.body = wrong_events(case.operation.schema.raw_schema, body) or body


def wrong_events(document, events):
    event = jsonschema_rs.validator_for({**document, "$ref": "#/components/schemas/Event"})
    return [each for each in events if not event.is_valid(each)]


def mend_time(event):
    said = event.get("eventTime")
    if is_number(said):
        event["eventTime"] = min(said, int(time.time()))
    elif isinstance(said, str) and said[:4].isdigit() and not "2000" < said[:4] < "2026":
        event["eventTime"] = "2020" + said[4:]


def mend_amounts(event):
    parts = [event, event.get("properties"), *as_list(event.get("contents"))]
    for part in parts:
        for name, value in part.items() if isinstance(part, dict) else ():
            if isinstance(value, float) and name != "eventTime":
                part[name] = round(value, 9)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def as_list(value):
    return value if isinstance(value, list) else []
