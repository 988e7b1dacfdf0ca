"""Finds the route of a request: by one look into a dict, or, where the path has braces, by its number of parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from formicary.gateway.routes import Route

_NONE: Final[Mapping[str, str]] = {}
Pattern = tuple[tuple[str | None, ...], tuple[str, ...], Route]
"""(fixed parts, None for a brace; the braces' names; the route)."""


class RouteTable:
    """All routes of a server; two for one method and path are a bug, found at start-up."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._fixed: dict[tuple[str, str], Route] = {}
        self._patterns: dict[tuple[str, int], list[Pattern]] = {}
        self._tails: list[tuple[str, str, str, Route]] = []
        known: set[tuple[str, str]] = set()
        for route in self.routes:
            assert (route.method, route.path) not in known, f"{route.method} {route.path} is there twice"
            known.add((route.method, route.path))
            self._add(route)
        self._tails.sort(key=lambda tail: -len(tail[1]))

    def _add(self, route: Route) -> None:
        if "{" not in route.path:
            self._fixed[route.method, route.path] = route
        elif route.path.endswith(":path}"):
            prefix, _, name = route.path.removesuffix(":path}").rpartition("{")
            assert "{" not in prefix, f"{route.path}: a path's tail stands alone"
            self._tails.append((route.method, prefix, name, route))
        else:
            parts = route.path.split("/")
            fixed = tuple(None if part.startswith("{") else part for part in parts)
            names = tuple(part.strip("{}") for part in parts if part.startswith("{"))
            self._patterns.setdefault((route.method, len(parts)), []).append((fixed, names, route))

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """The route of a method and path, and what stands in its braces."""
        route = self._fixed.get((method, path))
        if route is not None:
            return route, _NONE
        parts = path.split("/")
        for fixed, names, pattern_route in self._patterns.get((method, len(parts)), ()):
            values = _match(fixed, parts)
            if values is not None:
                return pattern_route, dict(zip(names, values, strict=True))
        for tail_method, prefix, name, tail_route in self._tails:
            if method == tail_method and path.startswith(prefix):
                return tail_route, {name: path[len(prefix) :]}
        return None

    def methods(self, path: str) -> list[str]:
        """The methods that a path takes; empty when there is nothing."""
        methods = sorted({route.method for route in self.routes})
        found = [method for method in methods if self.find(method, path) is not None]
        return [*found, "HEAD"] if "GET" in found else found


def _match(fixed: tuple[str | None, ...], parts: list[str]) -> list[str] | None:
    values = []
    for expected, part in zip(fixed, parts, strict=True):
        if expected is None and part:
            values.append(part)
        elif expected != part:
            return None
    return values
