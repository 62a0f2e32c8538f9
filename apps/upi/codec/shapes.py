"""Shapes: how an element of the wire and a frozen dataclass become each other, driven by tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from lxml import etree

from apps.upi.codec.kinds import Kind
from apps.upi.errors import InvalidElementError, MalformedMessageError

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml has no other name for it

# XML's white space; str.isspace() knows many more.
_SPACES = " \t\r\n"
_PAIR_ATTRIBUTES = {"name", "value"}
# The list of 4.8 has no code for some attributes; U07 is its "validation error".
OTHER = "U07"


@dataclass(frozen=True, slots=True)
class Attribute:
    """
    One attribute, or one name-value pair, and the field it fills.

    `code` refuses a value of the wrong form, and a missing one if it is required.
    """

    name: str
    field: str
    kind: Kind
    code: str
    is_required: bool = False


class Child(Protocol):
    """A part of an element's content; it fills fields of the element's dataclass."""

    @property
    def tag(self) -> str:
        """The element's name."""

    @property
    def is_repeated(self) -> bool:
        """Whether it may come more than once."""

    @property
    def missing_code(self) -> str:
        """The code that refuses its absence; "" when it may be absent."""

    def read(self, element: Element, values: dict[str, Any], path: str) -> None:
        """Fill `values` from the child element."""

    def write(self, parent: Element, source: Any) -> None:
        """Append the child to the parent, or nothing if the source has none."""


@dataclass(frozen=True, slots=True)
class Shape:
    """An element with its attributes and its children in their order."""

    cls: type
    attributes: tuple[Attribute, ...] = ()
    children: tuple[Child, ...] = ()
    is_any_order: bool = False
    places: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        places = {child.tag: place for place, child in enumerate(self.children)}
        object.__setattr__(self, "places", places)

    def read(self, element: Element, path: str) -> Any:
        """Build the dataclass. Raises InvalidElementError, MalformedMessageError."""
        values: dict[str, Any] = {}
        read_attributes(element, self.attributes, values, path)
        read_children(self, element, values, path)
        return self.cls(**values)

    def write(self, element: Element, source: Any) -> None:
        """Fill an element."""
        write_attributes(element, self.attributes, source)
        for child in self.children:
            child.write(element, source)


@dataclass(frozen=True, slots=True)
class One:
    """A child with a dataclass of its own."""

    tag: str
    field: str
    shape: Shape
    missing_code: str = ""
    is_repeated: bool = False

    def read(self, element: Element, values: dict[str, Any], path: str) -> None:
        """Read it into the field."""
        values[self.field] = self.shape.read(element, path)

    def write(self, parent: Element, source: Any) -> None:
        """Write the field, if there is one."""
        value = getattr(source, self.field)
        if value is not None:
            self.shape.write(etree.SubElement(parent, self.tag), value)


@dataclass(frozen=True, slots=True)
class Many:
    """A child that may come many times; the field is a tuple."""

    tag: str
    field: str
    shape: Shape
    missing_code: str = ""
    is_repeated: bool = True

    def read(self, element: Element, values: dict[str, Any], path: str) -> None:
        """Append it to the field."""
        values[self.field] = (*values.get(self.field, ()), self.shape.read(element, path))

    def write(self, parent: Element, source: Any) -> None:
        """Write each value of the field."""
        for value in getattr(source, self.field):
            self.shape.write(etree.SubElement(parent, self.tag), value)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """
    A child that only holds a list, such as Creds.

    `empty_code` refuses an empty one; with "" it may be empty, which reads like an absent one.
    """

    tag: str
    item: Many
    empty_code: str
    missing_code: str = ""
    is_repeated: bool = False

    def read(self, element: Element, values: dict[str, Any], path: str) -> None:
        """Read the items into their field."""
        refuse_attributes(element, path)
        for child in children_of(element, path):
            if child.tag != self.item.tag:
                raise MalformedMessageError(f"{path} has a child it may not have")
            self.item.read(child, values, f"{path}.{self.item.tag}")
        if self.empty_code and not values.get(self.item.field):
            raise InvalidElementError(self.empty_code, f"{path}.{self.item.tag}")

    def write(self, parent: Element, source: Any) -> None:
        """Write the list, if it has items."""
        if getattr(source, self.item.field):
            self.item.write(etree.SubElement(parent, self.tag), source)


@dataclass(frozen=True, slots=True)
class Flat:
    """A child whose attributes (and text) are fields of the same dataclass."""

    tag: str
    attributes: tuple[Attribute, ...]
    text: Attribute | None = None
    missing_code: str = ""
    is_repeated: bool = False

    def read(self, element: Element, values: dict[str, Any], path: str) -> None:
        """Read the attributes, and the text if it has one."""
        read_attributes(element, self.attributes, values, path)
        if self.text is not None:
            refuse_elements(element, path)
            values[self.text.field] = read_value(self.text, element.text or "", path)
        else:
            refuse_children(element, path)

    def write(self, parent: Element, source: Any) -> None:
        """Write the child if any of its fields is set."""
        known = [*self.attributes, *([self.text] if self.text else [])]
        if all(getattr(source, attribute.field) is None for attribute in known):
            return
        element = etree.SubElement(parent, self.tag)
        write_attributes(element, self.attributes, source)
        if self.text is not None:
            element.text = self.text.kind.write(getattr(source, self.text.field))


@dataclass(frozen=True, slots=True)
class Pair:
    """
    One of several `<Tag name value>` children, each a field of the same dataclass.

    `value_code` refuses a pair without a value, `form_code` a value of the wrong form, where that
    is not the pair's own code.
    """

    tag: str
    pairs: Mapping[str, Attribute]
    name_code: str
    value_code: str = ""
    form_code: str = ""
    missing_code: str = ""
    is_repeated: bool = True

    def read(self, element: Element, values: dict[str, Any], path: str) -> None:
        """Read one pair; a name that is not known or comes twice is refused."""
        refuse_children(element, path)
        attribute = self.pairs.get(element.get("name", ""))
        if attribute is None or attribute.field in values or set(element.attrib) - _PAIR_ATTRIBUTES:
            raise InvalidElementError(self.name_code, f"{path}.name")
        value = element.get("value")
        if value is None:
            code = self.value_code or attribute.code
            raise InvalidElementError(code, f"{path}.{attribute.name}")
        values[attribute.field] = read_value(attribute, value, path, code=self.form_code)

    def require(self, values: dict[str, Any], path: str) -> None:
        """Refuse an element in which a required pair did not come."""
        for attribute in self.pairs.values():
            if attribute.is_required and attribute.field not in values:
                raise InvalidElementError(attribute.code, f"{path}.{self.tag}.{attribute.name}")

    def write(self, parent: Element, source: Any) -> None:
        """Write each field that is set, in the table's order."""
        for name, attribute in self.pairs.items():
            value = getattr(source, attribute.field)
            if value is not None:
                written = attribute.kind.write(value)
                etree.SubElement(parent, self.tag, name=name, value=written)


def pairs(*attributes: Attribute) -> dict[str, Attribute]:
    """Return the table of a `Pair`: its attributes by their names."""
    return {attribute.name: attribute for attribute in attributes}


def read_value(attribute: Attribute, value: str, path: str, *, code: str = "") -> Any:
    """Read one value. Raises InvalidElementError with the attribute's code, or the one given."""
    try:
        return attribute.kind.read(value)
    except (ValueError, OverflowError) as error:
        raise InvalidElementError(code or attribute.code, f"{path}.{attribute.name}") from error


def read_attributes(
    element: Element, attributes: tuple[Attribute, ...], values: dict[str, Any], path: str
) -> None:
    """Read the attributes of an element into `values`; one that is not in the table is refused."""
    found: Any = dict(element.items())
    for attribute in attributes:
        value = found.pop(attribute.name, None)
        if value is not None:
            values[attribute.field] = read_value(attribute, value, path)
        elif attribute.is_required:
            raise InvalidElementError(attribute.code, f"{path}.{attribute.name}")
        else:
            # Absent is None, whatever value a message of our own making begins with.
            values[attribute.field] = None
    if found:
        raise MalformedMessageError(f"{path} has an attribute it may not have")


def read_children(shape: Shape, element: Element, values: dict[str, Any], path: str) -> None:
    """Read the children of an element in their order; one that is not in the table is refused."""
    seen: set[int] = set()
    last = 0
    for found in children_of(element, path):
        place = shape.places.get(found.tag)
        if place is None:
            raise MalformedMessageError(f"{path} has a child it may not have")
        child = shape.children[place]
        if place in seen and not child.is_repeated:
            raise MalformedMessageError(f"{path} has a child twice")
        if place < last and not shape.is_any_order:
            raise MalformedMessageError(f"{path} has its children in another order")
        seen.add(place)
        last = place
        child.read(found, values, f"{path}.{found.tag}" if path else str(found.tag))
    for place, child in enumerate(shape.children):
        if child.missing_code and place not in seen:
            name = f"{path}.{child.tag}" if path else child.tag
            raise InvalidElementError(child.missing_code, name)
        if isinstance(child, Pair):
            child.require(values, path)


def children_of(element: Element, path: str) -> Iterator[Element]:
    """Yield the children of an element that holds no text."""
    if element.text is not None and element.text.strip(_SPACES):
        raise MalformedMessageError(f"{path} has text it may not have")
    for child in element:
        if child.tail is not None and child.tail.strip(_SPACES):
            raise MalformedMessageError(f"{path} has text it may not have")
        yield child


def refuse_children(element: Element, path: str) -> None:
    """Refuse an element that has content."""
    for _ in children_of(element, path):
        raise MalformedMessageError(f"{path} has a child it may not have")


def refuse_elements(element: Element, path: str) -> None:
    """Refuse an element that has elements in it; text is for the caller."""
    if len(element):
        raise MalformedMessageError(f"{path} has a child it may not have")


def refuse_attributes(element: Element, path: str) -> None:
    """Refuse an element that has attributes."""
    if element.attrib:
        raise MalformedMessageError(f"{path} has an attribute it may not have")


def write_attributes(element: Element, attributes: tuple[Attribute, ...], source: Any) -> None:
    """Write the attributes that are set."""
    for attribute in attributes:
        value = getattr(source, attribute.field)
        if value is not None:
            element.set(attribute.name, attribute.kind.write(value))
