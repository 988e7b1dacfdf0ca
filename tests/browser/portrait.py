"""The picture that README opens with: Alice's wallet, the payment that she is about to make, and the till that waits.

Three pages of one running town, photographed by the browser and framed as devices by the browser too.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser as Chromium

from formicary.testing.town_process import TownProcess

from tests.browser.pictures import AT_REST, FOLDER
from tests.browser.visitor import Visitor

FILE: Final[Path] = FOLDER.parent / "wallet.png"
PHONE: Final = (390, 800)
TILL: Final = (640, 875)
PIXELS: Final = 2
"""Of a photograph for one of its page's; the frame shows it smaller."""
SHEET: Final = (1420, 880)
SHEET_SCALE: Final = 1.25
SHEET_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Formicary</title><style>
    body {{ margin: 0; width: {width}px; height: {height}px; background: linear-gradient(180deg, #efe5d3, #e6d9c3); }}
    figure {{ position: absolute; margin: 0; box-sizing: border-box; background: #1f120b; overflow: hidden;
        box-shadow: 0 40px 60px -18px #3a20104d, 0 8px 18px #3a201026; }}
    img {{ display: block; width: 100%; height: 100%; }}
    .phone {{ width: 342px; height: 676px; padding: 12px; border-radius: 48px; }}
    .phone img {{ border-radius: 36px; }}
    .till {{ width: 596px; height: 802px; padding: 18px; border-radius: 28px; background: #2b1911; }}
    .till img {{ border-radius: 12px; }}
    </style>
    <figure class="phone" style="left: 62px; top: 74px"><img alt="" src="{home}"></figure>
    <figure class="phone" style="left: 416px; top: 124px"><img alt="" src="{payment}"></figure>
    <figure class="till" style="left: 778px; top: 48px"><img alt="" src="{till}"></figure></html>"""


def portrait(chromium: Chromium, town: TownProcess) -> bytes:
    """Take the three photographs and put them side by side; a PNG."""
    till = Visitor(chromium, town, size=TILL, scale=PIXELS)
    till.enter("fatou")
    till.open("till")
    till.page.locator(".rows button.row").first.click()
    till.page.locator(".sell-amount").wait_for()
    for key in "640":
        till.page.locator(".pad").get_by_role("button", name=key, exact=True).click()
    till.press("sell.show")
    till.page.get_by_alt_text(till.say("show.alt")).wait_for()
    order = till.page.url.rpartition("/")[2]
    alice = Visitor(chromium, town, size=PHONE, scale=PIXELS)
    alice.enter("alice")
    alice.open("wallet", "/")
    alice.page.locator(".home-side .rows").wait_for()
    home = _photograph(alice)
    alice.open("wallet", f"/pay/{order}")
    alice.page.get_by_text("Crumb & Crust").first.wait_for()
    payment = _photograph(alice)
    found = _framed(chromium, home=home, payment=payment, till=_photograph(till))
    for visitor in (till, alice):
        visitor.check()
        visitor.close()
    return found


def _photograph(visitor: Visitor) -> str:
    """What the visitor sees, at rest, as the address of a picture."""
    visitor.page.mouse.move(0, 0)
    visitor.page.evaluate("() => { document.activeElement.blur(); return document.fonts.ready.then(() => true); }")
    visitor.page.wait_for_function(AT_REST)
    visitor.page.locator(".spoken-one").first.wait_for(state="detached")
    visitor.page.wait_for_timeout(250)
    png = visitor.page.screenshot(animations="disabled", caret="hide")
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _framed(chromium: Chromium, **pictures: str) -> bytes:
    width, height = SHEET
    context = chromium.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=SHEET_SCALE, color_scheme="light"
    )
    page = context.new_page()
    page.set_content(SHEET_PAGE.format(width=width, height=height, **pictures), wait_until="load")
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    context.close()
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()
