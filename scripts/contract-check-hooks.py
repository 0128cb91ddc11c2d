"""Teaches Schemathesis lines of JSON, which a batch of commands comes and is answered in."""

import json

import schemathesis

LINES = "application/x-ndjson"


@schemathesis.serializer(LINES)
def write_lines(context, value):
    """A schema describes one line; a request is made of one of them, or of what was made up in its place."""
    if isinstance(value, bytes):
        return {"data": value}
    return {"data": (json.dumps(value) + "\n").encode()}


@schemathesis.deserializer(LINES)
def read_lines(context, response):
    """The answer to one line is one line."""
    lines = response.content.splitlines()
    if len(lines) != 1:
        raise ValueError(f"one line asked, {len(lines)} answered")
    return json.loads(lines[0])
