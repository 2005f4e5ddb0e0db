# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only.
"""The option ``condition``: Jinja expressions over ``task``, the record of a cloud task."""

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleError
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import one_line, shown
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import UNKNOWN, make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.book import Book
from jinja2 import TemplateSyntaxError

Record = t.Mapping[str, t.Any]


class Conditions:
    """Expressions that must all be true for a cloud task to satisfy the wait.

    :param given: value of the option: an expression, a list of expressions, or null.
    :param templar: Ansible's object that evaluates expressions.
    :param loader: Ansible's object that reads files.
    :param variables: variables of the Ansible task, which expressions may use besides ``task``.
    """

    def __init__(self, given: t.Any, templar: t.Any, loader: t.Any, variables: Record) -> None:
        self.given = given is not None
        self._expressions = list(given) if isinstance(given, (list, tuple)) else [given] if self.given else []
        self._templar = templar
        self._loader = loader
        self._variables = variables

    def mistake(self) -> str | None:
        """Returns what is wrong with the expressions, whatever a record holds; null if no mistake is found."""
        if self.given and not self._expressions:
            return "condition is an empty list"
        for expression in self._expressions:
            if not isinstance(expression, (str, bool)):
                return f"condition is {shown(expression)}, which is no expression"
            if isinstance(expression, str) and not expression.strip():
                return "condition is an empty text"
            problem = self._mistake_in(expression)
            if problem:
                return f"condition {shown(expression)} {problem}"
        return None

    def _mistake_in(self, expression: t.Any) -> str | None:
        blank = make_record({"provider": "", "task_id": ""}, UNKNOWN, None)
        try:
            self._is_true(expression, blank)
        except AnsibleError as error:
            if any(isinstance(cause, TemplateSyntaxError) for cause in _causes(error)):
                return f"is no valid expression: {_last_cause(error)}"
            if re.search(r"lookup plugin .*not found", str(error)):
                return f"uses a lookup that is not installed: {one_line(str(error), 200)}"
            known = [*blank, *dir(dict)]
            unknown = [name for name in re.findall(r"\btask\.([A-Za-z_]\w*)", str(expression)) if name not in known]
            if unknown and any("Undefined" in type(cause).__name__ for cause in _causes(error)):
                return f"uses task.{unknown[0]}, and a record has {', '.join(blank)}"
        return None

    def judge(self, record: Record) -> tuple[bool | None, str | None]:
        """Returns whether a record satisfies all expressions, and null; or null and the reason why that is unknown."""
        try:
            return all(self._is_true(expression, record) for expression in self._expressions), None
        except AnsibleError as error:
            expressions = " and ".join(map(str, self._expressions))
            return None, f'the condition "{expressions}" cannot be evaluated: {error}'

    def decide(self, book: Book, numbers: t.Iterable[int], elapsed: float) -> None:
        """Enter what the condition says of these cloud tasks into the book; nothing without a condition."""
        for number in list(numbers) if self.given else ():
            is_good, problem = self.judge(book.entries[number].record)
            book.decide(number, is_good, problem, elapsed)

    def _is_true(self, expression: t.Any, record: Record) -> bool:
        if isinstance(expression, bool):
            return expression
        variables = {**self._variables, "task": wrap_var(dict(record))}
        if hasattr(self._templar, "evaluate_conditional"):
            templar = self._templar.copy_with_new_env(available_variables=variables)
            return bool(templar.evaluate_conditional(expression))
        from ansible.playbook.conditional import Conditional  # noqa: PLC0415 # before ansible-core 2.19 only

        conditional = Conditional(loader=self._loader)
        conditional.when = [expression]
        try:
            return bool(conditional.evaluate_conditional(self._templar.copy_with_new_env(), variables))
        except AnsibleError:
            raise
        except Exception as error:  # there, errors of an expression are not wrapped
            raise AnsibleError(str(error)) from error


def _causes(error: BaseException) -> t.Iterator[BaseException]:
    """Yields an exception and those that caused it, in any of the ways in which releases of ansible-core keep them."""
    seen: list[BaseException] = []
    waiting: list[t.Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "orig_exc", None)]


def _last_cause(error: BaseException) -> str:
    cause = next(cause for cause in _causes(error) if isinstance(cause, TemplateSyntaxError))
    return one_line(str(cause), 200)


__all__ = ["Conditions"]
