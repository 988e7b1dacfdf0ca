"""The pages as a browser gets them: policies, caching, compression; also when nothing has changed."""

from __future__ import annotations

import gzip

import pytest

from formicary.gateway.headers import PAGE_POLICY
from formicary.gateway.pages import PAGES, load_files

from tests.gateway.town import Person

pytestmark = pytest.mark.skipif(not load_files(), reason="the pages are not built: make setup")
ADDRESSES = [path.replace("{order}", "0" * 32) for path in PAGES]


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_page_keeps_its_policy_when_it_has_not_changed(shared: Person, path: str) -> None:
    """The second visit answers 304 with the page's own policy: a browser puts it on the page that it kept."""
    first = shared.get(path)
    assert first.status_code == 200
    assert first.headers["content-security-policy"] == PAGE_POLICY
    again = shared.ask("GET", path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["content-security-policy"] == PAGE_POLICY


def test_files_named_by_their_content_are_kept(shared: Person) -> None:
    """A script may be kept for a year and is sent gzipped; a page is asked for again each time."""
    name = next(name for name in load_files() if name.startswith("assets/") and name.endswith(".js"))
    script = shared.get(f"/{name}")
    assert "immutable" in script.headers["cache-control"]
    assert shared.get("/").headers["cache-control"] == "no-cache"
    file = load_files()[name]
    assert file.gzipped is None or gzip.decompress(file.gzipped) == file.plain


def test_what_is_no_file_is_not_found(shared: Person) -> None:
    """No path leads out of the folder."""
    for path in ("/assets/nothing.js", "/assets/..%2f..%2fpyproject.toml", "/.vite/manifest.json"):
        assert shared.get(path).status_code == 404
