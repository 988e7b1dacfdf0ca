"""Each rule catches what it is for, and leaves the honest neighbour of it alone. A rule that never bites is no rule."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from tests.tidy.determinism import DETERMINISM
from tests.tidy.shape import FILE_LINES_MAX, FUNCTION_LINES_MAX, SHAPE
from tests.tidy.source import Source, files, judge

MACHINE = "src/formicary/machine/sample.py"
PRODUCT = "src/formicary/products/pay/handlers.py"
KERNEL = "src/formicary/kernel/sample.py"

BITES = [
    ("clock", MACHINE, "import time\nnow = time.time_ns()"),
    ("clock", MACHINE, "from time import monotonic"),
    ("clock", KERNEL, "from datetime import datetime\nnow = datetime.now()"),
    ("clock", KERNEL, "import datetime\nnow = datetime.datetime.utcnow()"),
    ("clock", KERNEL, "import datetime\nday = datetime.date.today()"),
    ("chance", MACHINE, "import random\nx = random.random()"),
    ("chance", MACHINE, "from random import Random"),
    ("chance", MACHINE, "import secrets\nkey = secrets.token_bytes(16)"),
    ("chance", MACHINE, "import os\nkey = os.urandom(16)"),
    ("chance", MACHINE, "from os import urandom"),
    ("chance", MACHINE, "from uuid import uuid4"),
    ("chance", MACHINE, "import uuid\nx = uuid.uuid4()"),
    ("chance", KERNEL, "import numpy as np\nx = np.random.default_rng()"),
    ("float", KERNEL, "rate = 0.5"),
    ("float", KERNEL, "x = float(y)"),
    ("float", KERNEL, "def f(x: float) -> int: ..."),
    ("float", KERNEL, "share = total / 3"),
    ("float", KERNEL, "total /= 3"),
    ("float", KERNEL, "import numpy as np\nx = np.float64(1)"),
    ("set-order", MACHINE, "for x in {1, 2}: use(x)"),
    ("set-order", MACHINE, "for x in set(names): use(x)"),
    ("set-order", MACHINE, "seen = set()\nlines = [x for x in seen]"),
    ("set-order", MACHINE, "seen: set[int] = make()\nlines = list(seen)"),
    ("set-order", MACHINE, "def f(names: frozenset[str]) -> str:\n    return ', '.join(names)"),
    ("set-order", MACHINE, "class A:\n    def f(self):\n        self.due = set()\n        return self.due.pop()"),
    ("set-order", MACHINE, "left = {1}\nfor x in left - {2}: use(x)"),
    ("set-order", MACHINE, "by_name: dict[str, set[int]] = {}\nfor x in by_name['a']: use(x)"),
    ("set-order", MACHINE, "by_name = defaultdict(set)\nfor x in by_name.get('a'): use(x)"),
    ("set-order", MACHINE, "seen = {1}\nrow = [0, *seen]"),
    ("identity", MACHINE, "slot = hash(name) % 8"),
    ("identity", MACHINE, "key = id(account)"),
    ("surroundings", MACHINE, "import os\nx = os.environ['HOME']"),
    ("surroundings", MACHINE, "import os\nx = os.getenv('HOME')"),
    ("surroundings", MACHINE, "from os import environ"),
    ("surroundings", MACHINE, "import platform"),
    ("outside", PRODUCT, "import pathlib"),
    ("outside", PRODUCT, "from apsw import Connection"),
    ("outside", PRODUCT, "data = open('rates.csv')"),
    ("across-products", PRODUCT, "from formicary.products.escrow import queries"),
    ("across-products", PRODUCT, "from ..escrow import queries"),
    ("across-products", PRODUCT, "import formicary.products.escrow.codes"),
    ("sql-order", PRODUCT, "rows = context.rows('SELECT id FROM orders WHERE due < ?', now)"),
    ("sql-order", PRODUCT, "rows = db.execute(f'SELECT id FROM {table}')"),
    ("sql-money", PRODUCT, "context.run('UPDATE orders SET fee_minor = fee_minor + ? WHERE id = ?', 1, 2)"),
    ("sql-money", PRODUCT, "context.rows('SELECT SUM(amount) FROM parts ORDER BY 1')"),
    ("sql-money", PRODUCT, "context.rows('SELECT 2 * total_amount FROM parts ORDER BY id')"),
    ("escape", KERNEL, "rate = 0.5  # det-ok"),
    ("escape", KERNEL, "rate = 5  # det-ok: nothing here needs it"),
    ("numba", KERNEL, "from numba import njit"),
    ("numba", KERNEL, "def f():\n    import llvmlite.ir"),
    ("print", KERNEL, "print('here')"),
    ("file-length", KERNEL, "x = 1\n" * (FILE_LINES_MAX + 1)),
    ("function-length", KERNEL, "def f():\n" + "    x = 1\n" * (FUNCTION_LINES_MAX + 1)),
    ("docstring", KERNEL, "x = 1"),
    ("docstring", KERNEL, '"""Module."""\ndef public(): ...'),
    ("docstring", KERNEL, '"""Module."""\nclass Public:\n    """Class."""\n    def method(self): ...'),
    ("docstring", "tests/kernel/test_sample.py", '"""Module."""\ndef test_it() -> None: ...'),
]

SPARES = [
    (MACHINE, "time = entry.time\nlater = time.after"),
    (MACHINE, "from datetime import datetime, timezone\nd = datetime.fromtimestamp(entry.seconds, timezone.utc)"),
    (MACHINE, "import time\nnow = time.time_ns()  # det-ok: the edge, where an entry gets its time"),
    (MACHINE, "import os\nkey = make(\n    os.urandom(16),\n)  # det-ok: keys are made at the edge"),
    (KERNEL, "third = total // 3"),
    (KERNEL, "if isinstance(value, int | float): refuse(value)"),
    (KERNEL, "if type(value) is float: refuse(value)"),
    (KERNEL, "path = folder / 'state' / name"),
    (KERNEL, "path = self.folder / name"),
    (KERNEL, "path = Path(name) / other"),
    (MACHINE, "for x in sorted({1, 2}): use(x)"),
    (MACHINE, "seen = set()\nif x in seen: seen.add(y)\nhowmany = len(seen)"),
    (MACHINE, "both = {x for x in set(names)}"),
    (MACHINE, "names = ['a']\nfor x in names: use(x)"),
    (MACHINE, "found = ledger.id(name)"),
    ("src/formicary/base/compiled.py", "import os\non = os.environ.get('FORMICARY_UNCOMPILED')"),
    (PRODUCT, "from formicary.products.pay import codes\nfrom .queries import orders"),
    (PRODUCT, "rows = context.rows('SELECT id FROM orders ORDER BY id')"),
    (PRODUCT, "context.run('INSERT INTO parts (id, amount) VALUES (?, ?)', 1, 2)"),
    (PRODUCT, "context.rows('SELECT COUNT(*), amount FROM parts GROUP BY amount ORDER BY amount')"),
    (PRODUCT, "raise Refusal('choose one from the menu: amount - fee')"),
]

SHAPELY = [
    ("src/formicary/base/compiled.py", '"""Module."""\nfrom numba import njit'),
    ("src/formicary/cli/app.py", '"""Module."""\nprint("hello")'),
    (KERNEL, '"""Module."""\ndef _private(): ...\nclass _Hidden:\n    def method(self): ...'),
    (KERNEL, '"""Module."""\ndef f():\n    """Doc."""\n    def local(): ...'),
    (
        KERNEL,
        '"""Module."""\ndef f():  # ladder: refusals\n    """Doc."""\n' + "    x = 1\n" * (FUNCTION_LINES_MAX + 1),
    ),
    (KERNEL, '"""Module."""\ndef f():\n    """Doc."""\n    # ladder: refusals\n' + "    x = 1\n" * 61),
    (KERNEL, '"""Module."""\ndef f():\n    """Doc.\n' + "\n    more\n" * 61 + '    """\n    return 1'),
]


@pytest.mark.parametrize(("rule", "place", "code"), BITES, ids=[f"{i}-{bite[0]}" for i, bite in enumerate(BITES)])
def test_a_rule_bites(rule: str, place: str, code: str) -> None:
    """The bad sample is found, by the rule that is named for it."""
    source = Source(place, dedent(code))
    findings = judge(source, SHAPE, escapable=False) if rule in SHAPE else judge(source, DETERMINISM, escapable=True)
    assert rule in {finding.rule for finding in findings}


@pytest.mark.parametrize(("place", "code"), SPARES)
def test_the_rules_of_determinism_spare_what_is_honest(place: str, code: str) -> None:
    """What looks alike and is allowed gives no finding, so that nobody learns to escape by habit."""
    assert judge(Source(place, dedent(code)), DETERMINISM, escapable=True) == []


@pytest.mark.parametrize(("place", "code"), SHAPELY)
def test_the_rules_of_shape_spare_what_is_honest(place: str, code: str) -> None:
    """The one file may name Numba, the cli may print, a ladder may be long, and the private need no docstring."""
    assert judge(Source(place, dedent(code)), SHAPE, escapable=False) == []


def test_every_rule_has_a_sample_that_it_bites() -> None:
    """A new rule comes with proof that it works."""
    assert {rule for rule, _, _ in BITES} == {*DETERMINISM, *SHAPE, "escape"}


def test_an_escape_covers_its_own_statement_only() -> None:
    """A reason on one line does not excuse the next."""
    source = Source(KERNEL, "a = 0.5  # det-ok: a sample\nb = 0.5\n")
    assert [finding.line for finding in judge(source, DETERMINISM, escapable=True)] == [2]


def test_an_escape_inside_a_body_does_not_cover_its_head() -> None:
    """The lines of an ``if`` or a ``for`` end where its body begins."""
    source = Source(KERNEL, "if a == 0.5:\n    b = 0.5  # det-ok: a sample\n")
    assert [finding.line for finding in judge(source, DETERMINISM, escapable=True)] == [1]


def test_a_finding_reads_like_a_compilers_complaint() -> None:
    """An editor can jump to what it names."""
    (finding,) = judge(Source(KERNEL, "\nx = 0.5\n"), DETERMINISM, escapable=True)
    assert re.fullmatch(r"src/formicary/kernel/sample\.py:2: float: float literal 0\.5: .+", str(finding))


def test_the_walk_finds_this_file() -> None:
    """The list of files to judge is the list of files there are."""
    assert any(path.name == "test_rules_bite.py" for path in files("tests"))
