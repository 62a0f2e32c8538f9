"""What is wrong with the keys of a token: judged before a process uses any, and by `hsm check`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pkcs11 import Attribute, ObjectClass

from hsm import keys

Attributes = Mapping[Attribute, Any]


def key_faults(found: Sequence[Attributes]) -> list[str]:
    """
    Return what makes a token unfit to work with: a key that is not ours, not sealed, or a twin.

    Public halves are left out: nobody believes them. A key that is missing harms nobody else, and
    who asks for it is told.
    """
    secret = [one for one in found if one[Attribute.CLASS] != ObjectClass.PUBLIC_KEY]
    faults = twins(secret)
    for attributes in secret:
        label = attributes[Attribute.LABEL]
        kind = keys.kind_of(label)
        wrong = kind.faults(attributes) if kind else ["not a key of ours"]
        faults += [f"{label}: {fault}" for fault in wrong]
    return faults


def missing(found: Sequence[Attributes], labels: Sequence[str]) -> list[str]:
    """Return which of the keys that the bank needs are not there."""
    return [label for label in labels if not _holds(found, label)]


def twins(found: Sequence[Attributes]) -> list[str]:
    """Return the labels that more than one object of a class bears."""
    counted = Counter((one[Attribute.LABEL], one[Attribute.CLASS]) for one in found)
    return [f"{label}: there is more than one" for (label, _), n in counted.items() if n > 1]


def _holds(found: Sequence[Attributes], label: str) -> bool:
    kind = keys.kind_of(label)
    return kind is not None and any(
        one[Attribute.LABEL] == label and one[Attribute.CLASS] == kind.object_class for one in found
    )
