"""Reads and writes whole messages, and lets nothing in that is not plain XML of the expected kind.

A bank's file is somebody else's input. Before any parser sees it: its size is bounded, it must be UTF-8 without NUL,
and it may hold no document type, so that neither entity bombs nor external entities exist. Then it is parsed without
network, DTDs and entities, its amounts are checked as text, and what the schema demands of each value is checked.
"""

from __future__ import annotations

import re
from typing import Any, Final

from formicary.base.errors import BadInput
from formicary.rails.iso20022.extra import MESSAGES, SPACE, message_types, package
from formicary.rails.iso20022.facets import check_facets

FILE_BYTES_MAX: Final = 16 << 20
"""Bytes of one file from or to a bank."""

_DECLARED: Final = re.compile(r"""^<\?xml[^>]*?\bencoding\s*=\s*["']([^"']*)["']""")
_MARKUP: Final = re.compile(r"<!(?!--|\[CDATA\[)")
_AMOUNT: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,5})?")


def read_document(data: bytes, *, name: str, kinds: tuple[str, ...]) -> tuple[str, Any]:
    """Read one of the messages ``kinds``: (kind, its document). Raises BadInput with what is wrong, and where.

    ``name`` is the file's, for messages.
    """
    check_plain(data, name)
    tree = _parsed(data, name)
    kind = _kind(tree, name, kinds)
    _check_amounts(tree, name)
    document = _bound(tree, message_types(kind).Document, name)
    check_facets(document, f"{name}, Document")
    return kind, document


def check_plain(data: bytes, name: str) -> None:
    """Refuse what no bank sends: too much, another encoding, a document type, entities."""
    if len(data) > FILE_BYTES_MAX:
        raise BadInput(f"has {len(data)} bytes, more than {FILE_BYTES_MAX}", where=name)
    if not data.strip():
        raise BadInput("is empty", where=name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput("is not UTF-8 text", where=f"{name}, line {line}") from None
    if "\0" in text:
        raise BadInput("holds a NUL: it is not UTF-8 text", where=name)
    declared = _DECLARED.match(text)
    if declared is not None and declared[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise BadInput(f"declares the encoding {declared[1]!r}; write UTF-8", where=f"{name}, line 1")
    found = _MARKUP.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        word = text[found.start() : found.start() + 12].split()[0]
        told = f"holds {word}: document types and entities are not accepted"
        raise BadInput(told, where=f"{name}, line {line}", code="xml_not_plain")


def write_document(document: Any) -> bytes:  # noqa: ANN401 - any message's class
    """Write a message as UTF-8 XML after checking every value. Raises BadInput naming the value's path."""
    check_facets(document, "Document")
    config = package("xsdata.formats.dataclass.serializers.config").SerializerConfig(indent="  ")
    serializer = package("xsdata.formats.dataclass.serializers").XmlSerializer(config=config)
    text: str = serializer.render(document, ns_map={None: type(document).Meta.namespace})
    data = text.encode()
    if len(data) > FILE_BYTES_MAX:
        raise BadInput(f"the message has {len(data)} bytes, more than {FILE_BYTES_MAX}")
    return data


def _parsed(data: bytes, name: str) -> Any:  # noqa: ANN401 - an element of lxml
    etree = package("lxml.etree")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=False,
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        told = f"is not whole XML: {str(error.msg).partition(', line')[0]}"
        raise BadInput(told, where=f"{name}, line {error.lineno}") from None


def _kind(tree: Any, name: str, kinds: tuple[str, ...]) -> str:  # noqa: ANN401 - an element of lxml
    space, _, tag = str(tree.tag).rpartition("}")
    kind = space.removeprefix("{").removeprefix(SPACE)
    if tag != "Document" or kind not in MESSAGES or kind not in kinds:
        told = f"is {kind or tag!r}, not {' or '.join(kinds)}; ask the bank for that version"
        raise BadInput(told, where=name, code="message_unknown")
    return kind


def _check_amounts(tree: Any, name: str) -> None:  # noqa: ANN401 - an element of lxml
    """Amounts are digits with perhaps a point: what a decimal type would also take (1E5, 1_000) is no bank's."""
    for element in tree.iter():
        if element.get("Ccy") is not None and _AMOUNT.fullmatch((element.text or "").strip()) is None:
            tag = str(element.tag).rpartition("}")[2]
            raise BadInput(
                f"{(element.text or '')[:40]!r} is not an amount", where=f"{name}, line {element.sourceline}, {tag}"
            )


def _bound(tree: Any, document: Any, name: str) -> Any:  # noqa: ANN401 - lxml's and the message's own classes
    parsers = package("xsdata.formats.dataclass.parsers")
    config = package("xsdata.formats.dataclass.parsers.config").ParserConfig(
        fail_on_unknown_properties=True, fail_on_unknown_attributes=False, fail_on_converter_warnings=True
    )
    handler = package("xsdata.formats.dataclass.parsers.handlers").LxmlEventHandler
    errors = package("xsdata.exceptions")
    try:
        return parsers.XmlParser(config=config, handler=handler).parse(tree, document)
    except (errors.ParserError, errors.ConverterError, errors.XmlHandlerError) as error:
        raise BadInput(f"does not follow its schema: {str(error)[:200]}", where=name) from None
    except (TypeError, ValueError) as error:  # a class that misses a required part
        raise BadInput(f"misses what its schema requires: {str(error)[:200]}", where=name) from None
