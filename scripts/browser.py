"""A Chromium without a window, told what to do over pipes: for pictures of pages, and for what only a browser can show.

It needs no package: what the browser speaks is JSON, each text ended by a NUL.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile

NAMES = "chromium chromium-browser google-chrome chrome".split()

# No wait is longer unless something hangs, in seconds.
GUARD = 60

KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), " ": (32, " ")}


def found():
    """The browser of this machine; None if there is none."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    def __init__(self):
        self.folder = tempfile.mkdtemp()
        its_read, self.write = os.pipe()
        self.read, its_write = os.pipe()
        options = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            f"--user-data-dir={self.folder}",
            "--remote-debugging-pipe",
        ]
        # It reads from 3 and writes to 4.
        line = f'exec "$0" "$@" 3<&{its_read} 4>&{its_write}'
        self.process = subprocess.Popen(
            ["bash", "-c", line, found(), *options],
            pass_fds=(its_read, its_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(its_read)
        os.close(its_write)
        self.pending, self.number, self.events = b"", 0, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _next(self):
        while b"\0" not in self.pending:
            octets = os.read(self.read, 1 << 16)
            if not octets:
                raise RuntimeError("the browser has ended")
            self.pending += octets
        text, self.pending = self.pending.split(b"\0", 1)
        return json.loads(text)

    def ask(self, method, session=None, **params):
        self.number += 1
        asked = {"id": self.number, "method": method, "params": params}
        if session:
            asked["sessionId"] = session
        os.write(self.write, json.dumps(asked).encode() + b"\0")
        while (told := self._next()).get("id") != asked["id"]:
            self.events.append(told)
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']}")
        return told["result"]


class Page:
    def __init__(self, browser, url):
        self.browser, self.session = browser, None
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Log":
            self.ask(f"{domain}.enable")
        self.ask("Page.navigate", url=url)

    def ask(self, method, **params):
        return self.browser.ask(method, self.session, **params)

    def value(self, expression):
        """What an expression is on the page."""
        told = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(f"{expression}: {told['exceptionDetails']}")
        return told["result"].get("value")

    def until(self, condition):
        """Waits until a condition holds."""
        self.value(
            f"""new Promise((done, failed) => {{
              const holds = () => {{ try {{ return {condition}; }} catch {{ return false; }} }};
              const look = setInterval(() => {{ if (holds()) {{ clearInterval(look); done(); }} }}, 20);
              setTimeout(() => failed(new Error("it never is so")), {GUARD * 1000});
            }})"""
        )

    def looks(self, width, height, scheme):
        """As wide and high as that, in pixels, and light or dark."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", features=features)

    def press(self, key):
        code, text = KEYS[key]
        named = {"key": key, "windowsVirtualKeyCode": code, "text": text}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **named)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **named)

    def picture(self, path):
        taken = self.ask("Page.captureScreenshot", format="png")
        with open(path, "wb") as file:
            file.write(base64.b64decode(taken["data"]))

    def complaints(self):
        """What the browser has found wrong with the page: errors of scripts, and what a policy has kept from it."""
        own = [it for it in self.browser.events if it.get("sessionId") == self.session]
        thrown = [it["params"] for it in own if it["method"] == "Runtime.exceptionThrown"]
        logged = [it["params"]["entry"] for it in own if it["method"] == "Log.entryAdded"]
        return thrown + [it for it in logged if it["level"] in ("error", "warning")]
