# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML as Cloud Infinite has it: elements without attributes, that hold either text or other elements."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any
from xml.parsers import expat

from messages import VendorError
from services._base import is_whole

Tree = dict[str, Any]
#: name and content of elements in their order; the content is text, a number, or a list of such pairs
Fields = list[tuple[str, Any]]

_DEEPEST = 10


class BadXml(Exception):
    """Text that is no XML, is nested too deeply, or has a document type, which could declare entities."""


def read(body: bytes) -> tuple[str, Tree | str]:
    """Read XML: return the name of the root element and its content, a dict of the elements in it, or text.

    :raises BadXml: when it cannot be read.
    """
    stack: list[tuple[str, Tree, list[str]]] = [("", {}, [])]

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if len(stack) > _DEEPEST:
            raise BadXml
        stack.append((name, {}, []))

    def end(name: str) -> None:
        dummy, children, texts = stack.pop()
        stack[-1][1][name] = children or "".join(texts).strip()

    def no_doctype(*dummy: Any) -> None:
        raise BadXml

    def text(data: str) -> None:
        stack[-1][2].append(data)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = no_doctype
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise BadXml from None
    return next(iter(stack[0][1].items()))


def read_request(body: bytes) -> Tree:
    """Read the body of a call.

    :raises VendorError: when it is empty, is no XML, or its root is not `Request` with elements in it.
    """
    if not body:
        raise VendorError("MissingRequestBodyError", "Request body is empty.")
    try:
        root, tree = read(body)
    except BadXml:
        root, tree = "", ""
    if root != "Request" or isinstance(tree, str):
        raise VendorError("MalformedXML", "The XML you provided was not well-formed.")
    return tree


def inner(tree: Mapping[str, Any], *names: str, optional: bool = False) -> Mapping[str, Any]:
    """Return the element at a path of names, which holds other elements; an empty one if it is optional and missing.

    :raises VendorError: when it is missing.
    """
    place: Any = tree
    for name in names:
        place = place.get(name) if isinstance(place, dict) else None
    if isinstance(place, dict):
        return place
    if optional:
        return {}
    raise VendorError("InvalidArgument", f"The element {'.'.join(names)} is missing.")


def needed(tree: Mapping[str, Any], *names: str) -> str:
    """Return the text of the element at a path of names.

    :raises VendorError: when it is missing or empty.
    """
    place = inner(tree, *names[:-1]) if names[1:] else tree
    value = place.get(names[-1])
    if not isinstance(value, str) or not value:
        raise VendorError("InvalidArgument", f"The element {'.'.join(names)} is missing or empty.")
    return value


def as_object(fields: Fields) -> dict[str, Any]:
    """Return elements as an object. An element that comes several times becomes a list."""
    found: dict[str, Any] = {}
    for name, value in fields:
        content = as_object(value) if isinstance(value, list) else value
        if name in found:
            earlier = found[name] if isinstance(found[name], list) else [found[name]]
            content = [*earlier, content]
        found[name] = content
    return found


def write(fields: Iterable[tuple[str, Any]]) -> str:
    """Write elements, one after the other."""
    return "".join(_element(name, value) for name, value in fields)


def _element(name: str, value: Any) -> str:
    if not is_whole(value) and not value:
        return f"<{name}/>"
    text = write(value) if isinstance(value, list) else html.escape(str(value), quote=False)
    return f"<{name}>{text}</{name}>"
