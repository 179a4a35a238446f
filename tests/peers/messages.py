"""Payload to JSON value and back, as strictly as RFC 8259 reads. For the correct peers."""

import json

# Longer integers cost quadratic time, and newer Pythons refuse them anyway.
MAX_DIGITS = 1000


class Undecodable(ValueError):
    """The payload is no JSON text that can be answered with a JSON text."""


def decode(payload):
    """The value of a payload; padding has been taken off."""
    try:
        # From text, not octets: json would guess at UTF-16 and skip a byte order mark.
        value = json.loads(
            payload.decode("utf-8"), parse_int=_integer, parse_constant=_constant
        )
        # What cannot be written back has no place in a reply: lone surrogates, infinite floats.
        encode(value)
        return value
    except (ValueError, RecursionError) as error:
        raise Undecodable(type(error).__name__) from None


def encode(value):
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


def _integer(digits):
    if len(digits) > MAX_DIGITS:
        raise Undecodable("integer too long")
    return int(digits)


def _constant(word):
    raise Undecodable(f"{word} is not JSON")
