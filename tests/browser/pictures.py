"""Pictures of pages: which are kept as reference, how they are made small, and how two are compared.

A comparison is of layout, not of letters: both pictures are made grey and small, what changes from run to run (times,
ids, codes, amounts) is painted over in both, and the mean difference has a bound. Other fonts pass; a page whose style
is missing, or whose parts have moved, does not.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload

from formicary.testing.town_process import Browser, TownProcess

from tests.browser.visitor import DESK, PHONE, Visitor

FOLDER: Final = Path(__file__).parents[2] / "docs" / "images" / "pages"
ALL_BYTES_MAX: Final = 1_500_000
"""Bytes of all pictures together: they are in the repository for ever."""
COLOURS: Final = 128
SMALL: Final = 90
"""Width of a picture when it is compared, in pixels."""
DIFFERENCE_MAX: Final = 7.0
"""Largest mean difference of two small grey pictures, of 255."""
SIZES: Final = {"phone": PHONE, "desk": DESK}
SCALE: Final = 2
"""Pixels of a picture for one of a phone's page, which are small and fine; a desk's pictures have one for one."""
CHANGING: Final = (
    *("time", "code", ".mono", ".op-facts dd", ".facts dd", ".row-text", ".chain", ".ex-head", ".notice p", ".spoken"),
    *(".qr-plate", ".bar-plate", ".show-plate", ".ring", ".hero-amount", ".sell-side", ".op-big", ".verdict ul"),
)
"""What is another with each town or each minute."""
AT_REST: Final = "() => !document.querySelector('.loading, .ant-skeleton, .op-wait, .walking')"
BOXES: Final = """(names) => [...document.querySelectorAll(names)].map((one) => one.getBoundingClientRect())
    .filter((box) => box.width && box.height && box.bottom > 0 && box.top < innerHeight)
    .map((box) => [box.left, box.top, box.right, box.bottom])"""
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Scene:
    """A page worth a picture. ``prepare`` brings a visitor there."""

    name: str
    alias: str
    prepare: Callable[[Visitor], None]
    sizes: Sequence[str] = ("phone", "desk")
    dark: bool = False
    """Whether there is one of the dark look too, on the phone or else on the desk."""
    about: str = ""
    """What has to be in the picture, as a CSS selector; empty: the top of the page."""

    def pictures(self) -> Iterator[tuple[str, str, bool]]:
        """Name of the file, size and look of each."""
        for size in self.sizes:
            yield f"{self.name}-{size}.png", size, False
        if self.dark:
            yield f"{self.name}-{self.sizes[0]}-dark.png", self.sizes[0], True


# ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────────


def _home(visitor: Visitor) -> None:
    visitor.open("wallet", "/")
    visitor.page.locator(".home-side .rows").wait_for()


def _pay(visitor: Visitor) -> None:
    visitor.open("wallet", "/send/@ben")
    visitor.field("send.amount").fill("18.50")
    visitor.choose("purposes.friend")
    visitor.field("send.note").fill("Cinema and popcorn")
    visitor.page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")


def _code(visitor: Visitor) -> None:
    visitor.open("wallet", "/code")
    visitor.page.locator(".bar-plate img").wait_for()


def _held(visitor: Visitor) -> None:
    visitor.open("wallet", "/safety")
    visitor.page.get_by_role("link", name="Kofi Mensah").first.click()
    visitor.page.locator(".reason").first.wait_for()


def _statement(visitor: Visitor) -> None:
    visitor.open("wallet", "/statement")
    visitor.page.locator(".legend").wait_for()


def _amount(visitor: Visitor) -> None:
    visitor.open("till")
    visitor.page.locator(".rows button.row, .sell-amount").first.wait_for()
    if visitor.page.locator(".rows button.row").count():
        visitor.page.locator(".rows button.row").first.click()
    visitor.page.locator(".sell-amount").wait_for()
    for key in "1160":
        visitor.page.locator(".pad").get_by_role("button", name=key, exact=True).click()


def _paid(visitor: Visitor) -> None:
    _amount(visitor)
    visitor.press("sell.show")
    visitor.page.get_by_alt_text(visitor.say("show.alt")).wait_for()
    order = visitor.page.url.rpartition("/")[2]
    visitor.town.enter("hugo").done("/v1/shop/pay_order", order=order, tip_minor=0)
    visitor.page.locator(".done").wait_for()


def _backing(visitor: Visitor) -> None:
    visitor.open("operator", "/backing")
    visitor.sees(visitor.say("backing.checked"))


def _case(visitor: Visitor) -> None:
    visitor.open("operator", "/cases")
    visitor.page.get_by_role("row").filter(has_text="Grete Baumann").first.click()
    visitor.page.locator(".op-decision").first.wait_for()


def _verify(visitor: Visitor) -> None:
    visitor.open("explorer", "/")
    visitor.sees(visitor.say("ledger.checked"))
    visitor.open("explorer", "/check")
    ben: Browser = visitor.town.enter("ben")
    paid = next(item for item in ben.get("/v1/pay/activity", limit=50)["items"] if item["kind"] == "sent")
    receipt = ben.http.get(f"/v1/receipts/{paid['payment']}").content
    file: FilePayload = {"name": "receipt.json", "mimeType": "application/json", "buffer": receipt}
    visitor.page.locator("input[type=file]").set_input_files(file)
    visitor.page.locator(".verdict[data-good=true]").wait_for()


SCENES: Final = (
    Scene("wallet-home", "alice", _home, dark=True),
    Scene("wallet-pay", "alice", _pay),
    Scene("wallet-code", "alice", _code, sizes=("phone",)),
    Scene("wallet-statement", "alice", _statement),
    Scene("wallet-held", "grete", _held, dark=True),
    Scene("till-amount", "fatou", _amount),
    Scene("till-paid", "fatou", _paid),
    Scene("operator-backing", "olivia", _backing, sizes=("desk",), dark=True),
    Scene("operator-case", "olivia", _case, sizes=("desk",)),
    Scene("explorer-check", "", _verify, about=".verdict"),
)


# ── taking them ─────────────────────────────────────────────────────────────────────────────────────────────────────


def take(visitor: Visitor, size: str, *, dark: bool = False, about: str = "") -> tuple[bytes, list[Box]]:
    """A picture of what the visitor sees in that size and look, and the boxes of what changes from run to run."""
    width, height = SIZES[size]
    visitor.page.set_viewport_size({"width": width, "height": height})
    visitor.page.emulate_media(color_scheme="dark" if dark else "light")
    visitor.page.mouse.move(0, 0)
    visitor.page.evaluate("() => scrollTo(0, 0)")
    if about and size == "phone":
        visitor.page.locator(about).first.evaluate(
            "(one) => one.scrollIntoView({block: 'center', behavior: 'instant'})"
        )
    visitor.page.evaluate("() => document.fonts.ready.then(() => true)")
    visitor.page.wait_for_function(AT_REST)
    visitor.page.locator(".spoken-one").first.wait_for(state="detached")
    visitor.page.wait_for_timeout(250)
    png = visitor.page.screenshot(animations="disabled", caret="hide", scale="device" if size == "phone" else "css")
    found: list[Box] = visitor.page.evaluate(BOXES, ", ".join(CHANGING))
    factor = Image.open(io.BytesIO(png)).width / width
    return png, [(left * factor, top * factor, right * factor, bottom * factor) for left, top, right, bottom in found]


def small_file(png: bytes) -> bytes:
    """The same picture with few colours, as small as it gets."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def difference(first: bytes, second: bytes, boxes: Sequence[Box]) -> float:
    """Mean difference of two pictures' layout, 0 to 255; pictures of other sizes differ by 255."""
    small = [_small(png, boxes) for png in (first, second)]
    if small[0].shape != small[1].shape:
        return 255.0
    return float(np.abs(small[0] - small[1]).mean())


def _small(png: bytes, boxes: Sequence[Box]) -> NDArray[np.float64]:
    picture = Image.open(io.BytesIO(png)).convert("L")
    brush = ImageDraw.Draw(picture)
    for box in boxes:
        brush.rectangle(box, fill=128)
    height = picture.height * SMALL // picture.width
    return np.asarray(picture.resize((SMALL, height), Image.Resampling.BOX), dtype=np.float64)


def scene_taken(scene: Scene, visitor: Visitor) -> Iterator[tuple[str, bytes, list[Box]]]:
    """Bring the visitor there, and give every picture of the scene: file name, PNG, what changes."""
    if scene.alias:
        visitor.enter(scene.alias)
    scene.prepare(visitor)
    for name, size, dark in scene.pictures():
        png, boxes = take(visitor, size, dark=dark, about=scene.about)
        yield name, png, boxes


def town_for_pictures(folder: Path) -> TownProcess:
    """A fresh town, which looks the same every time."""
    return TownProcess(folder).start()
