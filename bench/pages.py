"""How soon a page is seen, and how much has to come for it.

A real browser opens each page of a new horde on a cold cache: a new profile each time. Once as it
is, over loopback, and once over a slow line: 150 ms there and back, 1.6 Mbit/s, and a processor
four times slower. Told are the first paint and the bytes that came, packed as they were sent,
pictures apart. The page is opened by a guest, with nothing of their own in this browser yet.
"""

import asyncio
import shutil
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from figures import Aim, Figure, options, read, tell
from home import a_home
from load import run
from playwright.async_api import Browser, CDPSession, Page, async_playwright
from target import a_server, only_ours

PAGES = ("/", "/horde", "/lend", "/account", "/register", "/run", "/api/")
A_SECOND = Aim(goal=1.0, floor=1.0)
WEIGHT = Aim(goal=300.0, floor=300.0)
SLOW = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 7.5e5 / 8,
}
SLOWER = 4
PATIENCE_MS = 60_000
FIRST_PAINT = """() => new Promise((tell) => new PerformanceObserver((list) => {
  const found = list.getEntriesByName("first-contentful-paint")[0];
  if (found) tell(found.startTime);
}).observe({type: "paint", buffered: true}))"""


@dataclass
class Came:
    """The bytes that came for a page, by what they were."""

    kinds: dict[str, str] = field(default_factory=dict)
    bytes_by_kind: dict[str, int] = field(default_factory=dict)

    def listen(self, session: CDPSession) -> None:
        """Count what comes from now on."""
        session.on("Network.responseReceived", self.begin)
        session.on("Network.loadingFinished", self.end)

    def begin(self, told: dict[str, str]) -> None:
        """An answer has begun."""
        self.kinds[told["requestId"]] = told["type"]

    def end(self, told: dict[str, str]) -> None:
        """All of it is there."""
        kind = self.kinds.get(told["requestId"], "Other")
        self.bytes_by_kind[kind] = self.bytes_by_kind.get(kind, 0) + int(told["encodedDataLength"])

    @property
    def weight_kb(self) -> float:
        """All but pictures, in thousands of bytes."""
        return sum(size for kind, size in self.bytes_by_kind.items() if kind != "Image") / 1000


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """The browser of this machine."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "there is no Chromium: apt-get install chromium"
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=quiet)
        yield browser
        await browser.close()


@asynccontextmanager
async def a_page(browser: Browser, came: Came, *, is_slow: bool) -> AsyncIterator[Page]:
    """A page in a new profile, whose traffic is counted."""
    context = await browser.new_context()
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    came.listen(session)
    if is_slow:
        await session.send("Network.emulateNetworkConditions", SLOW)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    yield page
    await context.close()


async def opened(browser: Browser, address: str, *, is_slow: bool) -> tuple[float, float]:
    """Seconds to the first paint, and thousands of bytes until all is quiet."""
    came = Came()
    async with a_page(browser, came, is_slow=is_slow) as page:
        await page.goto(address, wait_until="networkidle", timeout=PATIENCE_MS)
        painted_ms = await asyncio.wait_for(page.evaluate(FIRST_PAINT), PATIENCE_MS / 1000)
    return painted_ms / 1000, came.weight_kb


async def measure(given: Namespace) -> list[Figure]:
    """Each page as often as wanted."""
    only_ours(given, "a new horde has to be started for it.")
    figures = []
    async with a_home(given) as home, a_server(home) as server, a_browser() as browser:
        url = f"http://{server.address.host}:{server.address.port}"
        await opened(browser, url + PAGES[0], is_slow=False)  # the browser itself has to get warm
        for path in PAGES:
            seen = [await opened(browser, url + path, is_slow=False) for _ in range(given.runs)]
            slowly = [await opened(browser, url + path, is_slow=True) for _ in range(given.runs)]
            figures += [
                Figure(
                    name=f"{path}: first paint", unit="s", values=[s for s, _ in seen], aim=A_SECOND
                ),
                Figure(name=f"{path}: on a slow line", unit="s", values=[s for s, _ in slowly]),
                Figure(
                    name=f"{path}: weight", unit="KB", values=[kb for _, kb in seen], aim=WEIGHT
                ),
            ]
    return figures


if __name__ == "__main__":
    given = read(options(__doc__))
    tell(given, run(measure(given)))
