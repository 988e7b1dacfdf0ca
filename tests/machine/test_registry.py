"""What is wrong with a product's declarations is found when the machine is put together."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

import msgspec
import pytest

from formicary.machine.registry import KERNEL_CODES, Registry
from formicary.machine.system import SYSTEM
from formicary.products.anatomy import CommandType, EventType, Message, check_message
from formicary.products.example import PRODUCT

from tests.machine.products import TRIAL, Do, do

Whole = Annotated[int, msgspec.Meta(ge=0, le=9)]


def struct(kind: Any, **options: Any) -> Any:
    """A message type with one field."""
    base = {"frozen": True, "bases": (Message,), **options}
    return msgspec.defstruct("Sample", [("field", kind)], **base)


@pytest.mark.parametrize(
    "kind",
    [
        Whole,
        bool,
        None,
        Literal["a", "b"],
        Annotated[bytes, msgspec.Meta(max_length=4)],
        Annotated[list[Whole], msgspec.Meta(max_length=4)],
        Annotated[tuple[Whole, ...], msgspec.Meta(max_length=4)],
        tuple[Whole, bool],
        Whole | None,
    ],
)
def test_bounded_types_with_one_form_make_messages(kind: Any) -> None:
    """Integers, texts and bytes within limits, choices, and sequences of them."""
    check_message(struct(kind))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (float, "FloatType"),
        (Any, "AnyType"),
        (dict[str, int], "DictType"),
        (set[int], "SetType"),
        (int, "no least value"),
        (Annotated[int, msgspec.Meta(ge=0)], "no greatest value"),
        (str, "no greatest length"),
        (bytes, "no greatest length"),
        (list[Whole], "no greatest length"),
        (Annotated[list[float], msgspec.Meta(max_length=4)], "FloatType"),
        (tuple[Whole, float], "FloatType"),
        (Whole | float, "FloatType"),
    ],
)
def test_open_or_unbounded_types_do_not(kind: Any, why: str) -> None:
    """Whatever could have two forms, or no end."""
    with pytest.raises(AssertionError, match=why):
        check_message(struct(kind))


def test_a_message_is_closed_and_frozen_and_has_no_defaults() -> None:
    """Or one message would have several forms."""
    with pytest.raises(AssertionError, match="a default"):
        check_message(msgspec.defstruct("Sample", [("field", Whole, 1)], bases=(Message,), frozen=True))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="forbid unknown"):
        check_message(struct(Whole, forbid_unknown_fields=False))
    with pytest.raises(AssertionError, match="not a Message"):
        check_message(msgspec.defstruct("Sample", [("field", Whole)]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "Trial"}, "not a product's name"),
        ({"name": "machine"}, "machine is taken"),
        ({"name": "example"}, "example is taken"),
        ({"commands": TRIAL.commands * 2}, "there twice"),
        ({"commands": (CommandType(name="Do", body=Do, handler=do),)}, "not a command's name"),
        ({"commands": (CommandType(name="do", body=Do, handler=do, version=0),)}, "versions begin at 1"),
        ({"commands": (CommandType(name="do", body=struct(float), handler=do),)}, "FloatType"),
        ({"timers": TRIAL.timers * 2}, "there twice"),
        ({"events": (*TRIAL.events, EventType(kind="rung", payload=TRIAL.events[0].payload))}, "two kinds of event"),
        ({"codes": {"ok": "Fine."}}, "not a refusal"),
        ({"codes": {"exceeds_credits": "No."}}, "the kernel's"),
        ({"codes": {"already_member": "Something else."}}, "means two things"),
    ],
)
def test_a_product_that_contradicts_itself_or_another_is_found_at_once(change: dict[str, Any], why: str) -> None:
    """Names, versions and codes mean one thing."""
    with pytest.raises(AssertionError, match=why):
        Registry([SYSTEM, PRODUCT, dataclasses.replace(TRIAL, **change)])


def test_two_versions_of_a_command_live_side_by_side() -> None:
    """Old commands stay on logs for ever, so their handlers stay too."""
    second = CommandType(name="do", body=Do, handler=do, version=2)
    registry = Registry([dataclasses.replace(TRIAL, commands=(*TRIAL.commands, second))])
    assert registry.command("trial.do", 2) is not registry.command("trial.do", 1)
    assert registry.command("trial.do", 3) is None
    assert ("trial.do", 2) in registry.commands


def test_kernel_codes_are_refusals_of_every_product() -> None:
    """OK is not among them."""
    assert "exceeds_credits" in KERNEL_CODES
    assert "ok" not in KERNEL_CODES
    assert Registry([TRIAL]).is_refusal("exceeds_credits")
    assert not Registry([TRIAL]).is_refusal("already_member")
