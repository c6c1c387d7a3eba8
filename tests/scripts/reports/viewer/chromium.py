"""A headless Chromium, driven by its DevTools protocol over pipes."""

from __future__ import annotations

import base64
import io
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pytest
from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--remote-debugging-pipe", "--window-size=1280,800", "--force-color-profile=srgb", "--no-first-run"),
)
TIMEOUT = 120.0  # s

LAUNCHER = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for end, number in zip(ends, (3, 4)):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Program that gives a browser the pipes at which it expects them."""


class Chromium:
    """One page of a browser; the test is skipped where there is none.

    Attributes:
        requests: addresses that the page asked for.
        complaints: what the console and the log said.
    """

    def __init__(self, profile: Path) -> None:
        found = next(filter(None, map(shutil.which, NAMES)), None)
        if found is None:
            pytest.skip("no Chromium")
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._number, self._session, self._rest = 0, "", b""
        (browser_in, self._out), (self._in, browser_out) = os.pipe(), os.pipe()
        command = [found, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        redirected = [sys.executable, "-c", LAUNCHER, str(browser_in), str(browser_out), *command]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(redirected, pass_fds=(browser_in, browser_out), **quiet)
        os.close(browser_in)
        os.close(browser_out)

    def __enter__(self) -> Chromium:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol, and return what it returns."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            self._note(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def open(self, page: Path) -> None:
        """Go to a page, and wait until its viewer is there or failed."""
        self.call("Page.navigate", url=page.as_uri())
        end = time.monotonic() + TIMEOUT
        while not (state := self.evaluate("document.body?.dataset.state")):
            assert time.monotonic() < end, self.complaints
            time.sleep(0.1)
        assert state == "ready", self.evaluate("document.body.innerText")

    def press(self, key: str) -> None:
        """Press and leave a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key)

    def picture(self) -> np.ndarray:
        """Return what is on the screen ``(rows, columns, 3)``, as signed numbers."""
        png = base64.b64decode(self.call("Page.captureScreenshot")["data"])
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            assert select.select([self._in], [], [], TIMEOUT)[0], "the browser does not answer"
            more = os.read(self._in, 1 << 20)
            assert more, "the browser is gone"
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        details = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(details["request"]["url"][:200])
        elif event.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(json.dumps(details)[:500])
