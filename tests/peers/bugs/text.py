"""Payloads: what they mean, and what they do not."""

import ast
import ctypes
import json
import unicodedata

import messages

from . import Client, Listed, bug


@bug("rstrip-with-a-zero", "padding/digits-behind", r"rstrip('\x000') strips NULs and zeros.")
class RstripWithAZero(Client):
    def strip(self, body):
        return body.rstrip(b"\x000")


@bug("split-at-nul", "smuggling/far-behind", r"body.split(b'\0')[0].")
class SplitAtNul(Client):
    def strip(self, body):
        return body.split(b"\0")[0]


@bug("all-nuls-removed", "smuggling/inside-a-text", r"body.replace(b'\0', b'').")
class AllNulsRemoved(Client):
    def strip(self, body):
        return body.replace(b"\0", b"")


@bug("each-part-answered", "smuggling/two-messages", r"`for part in body.split(b'\0')`, and whatever is not empty is a message.")
class EachPartAnswered(Client):
    def serve_part(self, part):
        return super().answer(part)

    def strip(self, body):
        return body

    def send(self, payload):
        for one in payload:
            super().send(one)

    def answer(self, payload):
        parts = [part for part in payload.split(b"\0") if part]
        return [self.serve_part(part) for part in parts or [b""]]


@bug("cached-by-its-beginning", "fidelity/alike-but-for-a-part", "Replies are kept in a dict under (len(payload), payload[:200]).")
class CachedByItsBeginning(Client):
    kept = {}

    def answer(self, payload):
        if len(self.kept) > 1000:
            self.kept.clear()
        return self.kept.setdefault((len(payload), payload[:200]), super().answer(payload))


@bug("int32-by-itself", "fidelity/numbers", "A number by itself goes through ctypes.c_int32.")
class Int32ByItself(Client):
    def decode(self, payload):
        value = super().decode(payload)
        return ctypes.c_int32(value).value if type(value) is int else value


@bug("loads-without-try", "undecodable/bare-text", "json.loads() without a try: the thread ends and the socket stays open.")
class LoadsWithoutTry(Listed):
    def answer(self, payload):
        return self.encode(self.decode(payload))


@bug("only-jsondecodeerror", "undecodable/bad-utf-8", "`except json.JSONDecodeError`, and none of the other errors that json.loads() raises.")
class OnlyJsonDecodeError(Listed):
    def answer(self, payload):
        try:
            return messages.encode(json.loads(payload.decode("utf-8")))
        except json.JSONDecodeError as error:
            return self.complaint(error)
        except RecursionError as error:
            return self.complaint(error)


@bug("except-pass", "undecodable/bare-text", "`except: pass`, and whoever has sent it waits for a reply.")
class ExceptPass(Client):
    def serve(self):
        while True:
            try:
                payload = self.next_payload()
            except Exception:
                self.sock.close()
                return
            try:
                self.send(messages.encode(messages.decode(payload)))
            except Exception:
                pass


@bug("error-and-answer", "undecodable/bare-text", "An error is sent, and then the answer to the message of before.")
class ErrorAndAnswer(Client):
    message = ""

    def answer(self, payload):
        try:
            self.message = messages.decode(payload)
        except messages.Undecodable as error:
            self.send(self.complaint(error))
        return messages.encode(self.message)


@bug("surrogates-when-encoding", "undecodable/lone-surrogate", "json.dumps(ensure_ascii=False).encode() fails for half a surrogate pair, behind the try.")
class SurrogatesWhenEncoding(Listed):
    def answer(self, payload):
        try:
            value = json.loads(payload.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            return self.complaint(error)
        return json.dumps(value, ensure_ascii=False).encode("utf-8")


@bug("recursion-error", "nesting/fifteen-thousand", "`except ValueError` does not catch a RecursionError.")
class RecursionErrorUncaught(Listed):
    def answer(self, payload):
        try:
            return messages.encode(json.loads(payload.decode("utf-8")))
        except ValueError as error:
            return self.complaint(error)


@bug("walked-by-recursion", "nesting/two-hundred", "All values are walked through by a function that calls itself, to count them.")
class WalkedByRecursion(Listed):
    def decode(self, payload):
        value = super().decode(payload)
        self.count(value)
        return value

    def count(self, value, depth=0):
        if depth > 150:
            raise OverflowError("too deep")
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        return 1 + sum(self.count(one, depth + 1) for one in inner)


@bug("falsy-is-nothing", "json-text/empty", "`if message:`, and 0, '' and [] are not answered.")
class FalsyIsNothing(Client):
    def serve(self):
        self.silent = False
        super().serve()

    def answer(self, payload):
        try:
            value = messages.decode(payload)
        except messages.Undecodable as error:
            return self.complaint(error)
        return messages.encode(value) if value else None

    def send(self, payload):
        if payload is not None:
            super().send(payload)


@bug("literal-eval", "json-text/literal", "ast.literal_eval() reads Python, where true, false and null are no words.")
class LiteralEval(Client):
    def decode(self, payload):
        try:
            value = ast.literal_eval(payload.decode("utf-8").strip())
            messages.encode(value)
            return value
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
            raise messages.Undecodable(type(error).__name__)


@bug("dict-expected", "json-text/literal", "message.get('name'), unless it is a string: what else has no get() ends the client.")
class DictExpected(Client):
    def answer(self, payload):
        try:
            value = messages.decode(payload)
        except messages.Undecodable as error:
            return self.complaint(error)
        if not isinstance(value, str):
            try:
                value.get("name")
            except AttributeError:
                raise OSError
        return messages.encode(value)


@bug("latin-1", "fidelity/two-octets", "decode('latin-1') never complains.")
class Latin1(Client):
    def decode(self, payload):
        return messages.decode(payload.decode("latin-1").encode("utf-8"))


@bug("ascii-ignore", "fidelity/two-octets", "decode('ascii', 'ignore') never complains either.")
class AsciiIgnore(Client):
    def decode(self, payload):
        return messages.decode(payload.decode("ascii", "ignore").encode("ascii"))


@bug("normalised", "fidelity/combining", "unicodedata.normalize('NFC', text).")
class Normalised(Client):
    def decode(self, payload):
        text = payload.decode("utf-8", "replace")
        return messages.decode(unicodedata.normalize("NFC", text).encode("utf-8"))


@bug("text-stripped", "fidelity/spaces", "message.strip().")
class TextStripped(Client):
    def decode(self, payload):
        value = super().decode(payload)
        return value.strip() if isinstance(value, str) else value


@bug("escapes-undone-twice", "fidelity/unicode-escapes", "decode('unicode_escape') before json.loads(), since there were backslashes in it.")
class EscapesUndoneTwice(Client):
    def decode(self, payload):
        try:
            text = payload.decode("utf-8")
            if "\\u" in text:
                text = text.encode("utf-8").decode("unicode_escape")
            return messages.decode(text.encode("utf-8"))
        except ValueError as error:
            raise messages.Undecodable(type(error).__name__)


@bug("nan-in-replies", "reply-text/to-huge-numbers", "json.dumps() writes what json.loads() has read of 1e999: Infinity.")
class NanInReplies(Client):
    def answer(self, payload):
        try:
            value = json.loads(payload.decode("utf-8"))
            return json.dumps(value).encode("utf-8")
        except (ValueError, RecursionError) as error:
            return self.complaint(error)


@bug("reply-by-format", "reply-text/plain", "The reply is '\"Respuesta asociada al mensaje %s\"' % message, whatever stands in the message.")
class ReplyByFormat(Client):
    def encode(self, value):
        return ('"Respuesta asociada al mensaje %s"' % value).encode("utf-8", "replace")


@bug("str-instead-of-dumps", "reply-text/to-each-kind", "str(message), in quotes if it is a text: {'a': True} is no JSON.")
class StrInsteadOfDumps(Client):
    def encode(self, value):
        return messages.encode(value) if isinstance(value, str) else str(value).encode("utf-8")


@bug("signature", "reply-text/plain", "encode('utf-8-sig').")
class Signature(Client):
    def encode(self, value):
        return super().encode(value).decode("utf-8").encode("utf-8-sig")


@bug("error-in-words", "reply-text/to-undecodable", "f'Error: {error}' is sent as it is.")
class ErrorInWords(Client):
    def complaint(self, error):
        return f"Error: {error}".encode("utf-8")


@bug("latin-1-replies", "reply-text/plain", "Replies are encoded as the platform likes it.")
class LatinReplies(Client):
    def encode(self, value):
        return super().encode(value).decode("utf-8").encode("latin-1", "replace")
