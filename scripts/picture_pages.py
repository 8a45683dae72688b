"""Take the pictures of all pages for docs/pictures/pages and the README.

python scripts/picture_pages.py [FOLDER]    needs Chromium; some minutes, most of them for the days

A horde is lived for some days (`sample_days.py`; a FOLDER that was lived before is taken as it is),
a real server is started on it, its people go on asking and their machines working, and two
painters of ours draw what is asked for on the page Ask. Somebody then opens each page by day and by
night, at a desk and on a phone. Pictures are kept as WebP.
"""

import asyncio
import io
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import sample_days
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

HERE = Path(__file__).resolve().parent
INTO = HERE.parent / "docs" / "pictures" / "pages"
PORT = 7001
URL = f"http://127.0.0.1:{PORT}"
DAYS = 8
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 1200}}
HEIGHT_MAX = 2400  # of a picture at a desk; the rest of a long page is more of the same
PAGES = {
    "horde": "/horde",
    "lend": "/lend",
    "account": "/account",
    "run": "/run",
    "api": "/api/#post_async_generate",
}
RUNS_IT = {"run"}  # pages of the administrator; the others are aida's
WISHES = (
    ("Dunes just after sunrise, long shadows, gouache on rough paper", 896, 512),
    ("Map of an invented island, contour lines, red and blue ink", 640, 640),
    ("Felt rug with a ram's horn border, madder, indigo and undyed wool", 512, 704),
    ("Harvest moon over a still lake, two-colour risograph", 512, 768),
    ("Three pears on a table, risograph", 768, 512),
    ("Fjord in morning fog, eight flat layers of teal", 512, 640),
    ("City lights through a wet window at night, shallow focus", 512, 512),
)
UNDER_WAY = (
    "Camp fires on a wide plain at night, seen from a hill, the milky way above",
    1152,
    768,
)
UNDER_WAY_STEPS = 150  # so that there is time to look
FILL = "detail => document.dispatchEvent(new CustomEvent('ordu:fill', {detail}))"
DRAWN_MS = 120_000


def body_of(prompt: str, width: int, height: int, **params: int) -> dict[str, Any]:
    """What aida asks for, of our own painters."""
    return {
        "prompt": prompt,
        "models": ["sketch"],
        "params": {"width": width, "height": height, "steps": 28, "n": 1} | params,
    }


@asynccontextmanager
async def running(*arguments: str, folder: Path) -> AsyncIterator[None]:
    """A command of ours that goes on."""
    command = (sys.executable, "-m", "ordu.cli", *arguments)
    with (folder / f"{arguments[0]}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def a_horde(folder: Path, keys: dict[str, str]) -> AsyncIterator[None]:
    """The server, two painters, and everybody else."""
    serve = ("serve", "--data", str(folder), "--port", str(PORT), "--rate-limits", "off")
    paint = ("worker", "--url", URL, "--api-key", keys["aida"])
    async with running(*serve, folder=folder):
        await until_up()
        async with (
            running(*paint, "--name", "aida-painter", folder=folder),
            running(*paint, "--name", "aida-brush", folder=folder),
        ):
            crowd = asyncio.create_task(sample_days.go_on(URL, keys))
            try:
                yield
            finally:
                crowd.cancel()
                await asyncio.gather(crowd, return_exceptions=True)


async def until_up() -> None:
    """Wait until the server answers."""
    async with httpx.AsyncClient() as client:
        for _ in range(300):
            try:
                if (await client.get(f"{URL}/livez")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)
    raise SystemExit("the server does not start")


async def ask(page: Page) -> None:
    """Ask for everything on the page Ask, and wait until all but the last is drawn."""
    for prompt, width, height in WISHES:
        body = body_of(prompt, width, height)
        await page.evaluate(FILL, {"body": body, "source": None, "send": True})
        await page.wait_for_timeout(1500)
    await page.locator("#pictures li").nth(len(WISHES) - 1).wait_for(timeout=DRAWN_MS)


async def shoot_asking(page: Page) -> None:
    """The page Ask while something is under way."""
    prompt, width, height = UNDER_WAY
    for size in SIZES.values():
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        body = body_of(prompt, width, height, n=4, steps=UNDER_WAY_STEPS)
        await page.evaluate(FILL, {"body": body, "source": None, "send": True})
        await page.locator(".frame.done, .frame img").first.wait_for(timeout=DRAWN_MS)
        await shoot(page, "ask")


async def shoot(page: Page, name: str) -> None:
    """A picture of a page in each theme, in the width it has."""
    is_phone = page.viewport_size == SIZES["phone"]
    name = f"{name}-{'phone' if is_phone else 'desk'}"
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        await page.wait_for_timeout(300)
        png = await page.screenshot(full_page=not is_phone, animations="disabled")
        picture = Image.open(io.BytesIO(png)).convert("RGB")
        picture = picture.crop((0, 0, picture.width, min(picture.height, HEIGHT_MAX)))
        picture.save(INTO / f"{name}-{theme}.webp", "WEBP", quality=82, method=6)


async def someone(browser: Browser, key: str) -> BrowserContext:
    """Somebody at a browser, signed in."""
    context = await browser.new_context(viewport=SIZES["desk"], locale="en-GB")  # type: ignore[arg-type]
    await context.add_init_script(f"localStorage.setItem('ordu.key', {key!r})")
    return context


async def take(browser: Browser, keys: dict[str, str]) -> None:
    """All pictures."""
    aida, keeper = await someone(browser, keys["aida"]), await someone(browser, keys["admin"])
    page = await aida.new_page()
    await page.goto(URL)
    await ask(page)
    await shoot_asking(page)
    for name, path in PAGES.items():
        page = await (keeper if name in RUNS_IT else aida).new_page()
        for size in SIZES.values():
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            await page.goto(URL + path)
            await page.wait_for_timeout(4000)
            await shoot(page, name)
        await page.close()


async def main(folder: Path) -> None:
    """Live, start, and take them."""
    if not (folder / "people.json").exists():
        await sample_days.main(folder, DAYS)
    keys = json.loads((folder / "people.json").read_text(encoding="utf-8"))
    INTO.mkdir(parents=True, exist_ok=True)
    path = shutil.which("chromium") or shutil.which("google-chrome")
    async with a_horde(folder, keys), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        await take(browser, keys)
        await browser.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(main(Path(sys.argv[1]).resolve()))
    else:
        with tempfile.TemporaryDirectory(prefix="ordu-pages-") as made:
            asyncio.run(main(Path(made)))
