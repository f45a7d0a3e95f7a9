"""A part of Logs Insights' query language: `fields`, `display`, `filter`, `parse`, `stats ... by`, `sort`, `limit`.

Pure: a query's text becomes a function of rows. What AWS knows and this does not is refused (501) rather than answered
wrongly; what no one could know is AWS's MalformedQueryException. Source: docs.aws.amazon.com/AmazonCloudWatch/latest/
logs/CWL_QuerySyntax.html.
"""

from __future__ import annotations

import math
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from localaws.insights_words import (
    AGGREGATES,
    FUNCTIONS,
    SECONDS,
    Instant,
    Token,
    Value,
    globbed,
    malformed,
    tokens,
    unmodelled,
)

Row = Mapping[str, Value]
Expression = Callable[[Row], Value]
Operator = Callable[[Value, Value], Value]

DEFAULT_LIMIT = 10_000
_SHOWN_BY_DEFAULT = ("@timestamp", "@message")


@dataclass(frozen=True, slots=True)
class _Aggregate:
    """A column of `stats`: a function of the values that its argument has over a group."""

    name: str
    of: Callable[[Sequence[Value]], Value]
    argument: Expression


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found: the rows that it shows, and how many log records matched."""

    rows: list[Row]
    matched: int


@dataclass(slots=True)
class Query:
    """A query that was understood: its steps in order, which of them groups first, what it shows, how many at most."""

    steps: list[Callable[[list[Row]], list[Row]]] = field(default_factory=list)
    grouping: int | None = None
    shown: list[str] = field(default_factory=lambda: list(_SHOWN_BY_DEFAULT))
    limit: int = DEFAULT_LIMIT

    def run(self, rows: Sequence[Row]) -> Found:
        """What it finds in log records: newest first unless it sorts or groups."""
        found = sorted(rows, key=lambda row: -float(row["@timestamp"] or 0.0))
        for step in self.steps[: self.grouping]:
            found = step(found)
        matched = len(found)
        for step in self.steps[len(self.steps) if self.grouping is None else self.grouping :]:
            found = step(found)
        return Found(found[: self.limit], matched)


def understand(text: str) -> Query:
    """Read a query.

    Raises:
        ApiError: MalformedQueryException for what is no query, 501 for what is beyond this part of the language.
    """
    return _Parser(tokens(text)).query()


class _Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, given: Sequence[Token]) -> None:
        self._tokens = list(given)
        self._at = 0
        self._query = Query()
        self._commands: Mapping[str, Callable[[], None]] = {
            "fields": self._fields,
            "display": self._display,
            "filter": self._filter,
            "parse": self._parse,
            "stats": self._stats,
            "sort": self._sort,
            "limit": self._limit,
        }

    def query(self) -> Query:
        """Every command, between bars."""
        while True:
            word = self._take("name")
            if word not in self._commands:
                raise unmodelled(f"the command {word}")
            self._commands[word]()
            if self._done():
                return self._query
            self._expect("|")

    # --- commands ----------------------------------------------------------------------------------------------

    def _fields(self) -> None:
        before = [] if self._query.shown == list(_SHOWN_BY_DEFAULT) else self._query.shown
        self._display()
        self._query.shown = [*before, *(name for name in self._query.shown if name not in before)]

    def _display(self) -> None:
        columns = self._columns()
        self._query.steps.append(
            lambda rows: [{**row, **{name: of(row) for name, of in columns.items()}} for row in rows]
        )
        self._query.shown = list(columns)

    def _columns(self) -> dict[str, Expression]:
        columns: dict[str, Expression] = {}
        while True:
            start = self._at
            of = self._expression()
            text = "".join(token.text for token in self._tokens[start : self._at])
            columns[self._take("name") if self._accept("as") else text] = of
            if not self._accept(","):
                return columns

    def _filter(self) -> None:
        condition = self._expression()
        self._query.steps.append(lambda rows: [row for row in rows if condition(row)])

    def _parse(self) -> None:
        """By a glob only: `parse @logStream "[*]" as version`."""
        of = self._atom()
        if self._done() or self._tokens[self._at].kind != "text":
            raise unmodelled("parse by a regular expression")
        glob = globbed(self._take("text")[1:-1])
        self._expect("as")
        names = [self._take("name")]
        while self._accept(","):
            names.append(self._take("name"))
        if len(names) != glob.groups:
            raise malformed("parse needs as many names as its pattern has wildcards")
        self._query.steps.append(lambda rows: [{**row, **_parsed(glob, of(row), names)} for row in rows])

    def _stats(self) -> None:
        aggregates = [self._aggregate()]
        while self._accept(","):
            aggregates.append(self._aggregate())
        groups = self._columns() if self._accept("by") else {}
        if self._query.grouping is None:
            self._query.grouping = len(self._query.steps)
        self._query.steps.append(lambda rows: _grouped(rows, aggregates, groups))
        self._query.shown = [*groups, *(aggregate.name for aggregate in aggregates)]

    def _aggregate(self) -> _Aggregate:
        start, name = self._at, self._take("name")
        if name not in AGGREGATES:
            raise unmodelled(f"the aggregate function {name}")
        self._expect("(")
        argument: Expression = (lambda _: 1.0) if self._accept("*") else self._expression()
        parameter = float(self._take("number")) if self._accept(",") else math.nan
        self._expect(")")
        text = "".join(token.text for token in self._tokens[start : self._at])
        of = AGGREGATES[name]
        named = self._take("name") if self._accept("as") else text
        return _Aggregate(named, lambda values: of(values, parameter), argument)

    def _sort(self) -> None:
        of = self._expression()
        falling = not self._accept("asc") and self._accept("desc")
        self._query.steps.append(lambda rows: sorted(rows, key=lambda row: _order(of(row)), reverse=falling))

    def _limit(self) -> None:
        self._query.limit = int(self._take("number"))

    # --- expressions -------------------------------------------------------------------------------------------

    def _expression(self) -> Expression:
        return self._left(self._conjunction, {"or": lambda a, b: bool(a) or bool(b)})

    def _conjunction(self) -> Expression:
        return self._left(self._negation, {"and": lambda a, b: bool(a) and bool(b)})

    def _negation(self) -> Expression:
        if self._accept("not"):
            of = self._negation()
            return lambda row: not of(row)
        return self._comparison()

    def _comparison(self) -> Expression:
        left = self._sum()
        for word in ("like", "=~"):
            if self._accept(word):
                pattern = self._pattern()
                return lambda row: pattern.search(str(left(row) or "")) is not None
        for word, compare in _COMPARISONS.items():
            if self._accept(word):
                right = self._sum()
                return lambda row: compare(left(row), right(row))
        return left

    def _pattern(self) -> re.Pattern[str]:
        token = self._tokens[self._at] if not self._done() else Token("end", "")
        self._at += 1
        if token.kind == "pattern":
            return re.compile(token.text[1:-1])
        if token.kind == "text":
            return re.compile(re.escape(token.text[1:-1]))
        raise malformed(f"unexpected {token.text!r} after like")

    def _sum(self) -> Expression:
        return self._left(self._product, {"+": _arithmetic(operator.add), "-": _arithmetic(operator.sub)})

    def _product(self) -> Expression:
        return self._left(self._atom, {"*": _arithmetic(operator.mul), "/": _arithmetic(operator.truediv)})

    def _left(self, operand: Callable[[], Expression], operators: Mapping[str, Operator]) -> Expression:
        left = operand()
        while (word := next((word for word in operators if self._accept(word)), None)) is not None:
            left = _joined(left, operators[word], operand())
        return left

    def _atom(self) -> Expression:
        if self._accept("("):
            inner = self._expression()
            self._expect(")")
            return inner
        if self._done():
            raise malformed("unexpected end of query")
        token = self._tokens[self._at]
        self._at += 1
        match token.kind:
            case "number":
                number = float(token.text)
                return lambda _: number
            case "text":
                text = token.text[1:-1]
                return lambda _: text
            case "name" if self._accept("("):
                return self._call(token.text)
            case "name":
                return lambda row: row.get(token.text.strip("`"))
            case _ if token.text == "-":
                raise unmodelled("a sign before a number")
            case _:
                raise malformed(f"unexpected {token.text!r}")

    def _call(self, name: str) -> Expression:
        if name == "bin":
            return self._bin()
        if name not in FUNCTIONS:
            raise unmodelled(f"the function {name}")
        arguments = [self._expression()]
        while self._accept(","):
            arguments.append(self._expression())
        self._expect(")")
        of = FUNCTIONS[name]
        return lambda row: of(*(argument(row) for argument in arguments))

    def _bin(self) -> Expression:
        length, unit = float(self._take("number")), self._take("name")
        self._expect(")")
        if unit not in SECONDS:
            raise malformed(f"unknown period {unit} in bin")
        step = length * SECONDS[unit] * 1000
        return lambda row: Instant(float(row["@timestamp"] or 0.0) // step * step)

    # --- tokens ------------------------------------------------------------------------------------------------

    def _done(self) -> bool:
        return self._at >= len(self._tokens)

    def _accept(self, text: str) -> bool:
        if self._done() or self._tokens[self._at].kind in {"text", "pattern"} or self._tokens[self._at].text != text:
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            found = "end of query" if self._done() else repr(self._tokens[self._at].text)
            raise malformed(f"unexpected {found}, expected {text!r}")

    def _take(self, kind: str) -> str:
        if self._done() or self._tokens[self._at].kind != kind:
            found = "end of query" if self._done() else repr(self._tokens[self._at].text)
            raise malformed(f"unexpected {found}, expected a {kind}")
        self._at += 1
        return self._tokens[self._at - 1].text


def _joined(left: Expression, of: Operator, right: Expression) -> Expression:
    return lambda row: of(left(row), right(row))


def _arithmetic(of: Callable[[float, float], float]) -> Operator:
    def apply(left: Value, right: Value) -> Value:
        if not isinstance(left, float) or not isinstance(right, float):
            return None
        return float(of(left, right)) if right or of is not operator.truediv else None

    return apply


def _compared(of: Callable[[float], bool]) -> Callable[[Value, Value], bool]:
    def apply(left: Value, right: Value) -> bool:
        if left is None or right is None:
            return False
        if isinstance(left, float) and isinstance(right, float):
            return of(left - right)
        return of(float((str(left) > str(right)) - (str(left) < str(right))))

    return apply


_COMPARISONS = {
    ">=": _compared(lambda difference: difference >= 0),
    "<=": _compared(lambda difference: difference <= 0),
    "!=": _compared(lambda difference: difference != 0),
    "=": _compared(lambda difference: difference == 0),
    ">": _compared(lambda difference: difference > 0),
    "<": _compared(lambda difference: difference < 0),
}


def _parsed(glob: re.Pattern[str], value: Value, names: Sequence[str]) -> Row:
    match = glob.search(str(value)) if value is not None else None
    return dict(zip(names, match.groups(), strict=True)) if match is not None else {}


def _grouped(rows: Sequence[Row], aggregates: Sequence[_Aggregate], groups: Mapping[str, Expression]) -> list[Row]:
    by_key: dict[tuple[Value, ...], list[Row]] = defaultdict(list)
    for row in rows:
        by_key[tuple(of(row) for of in groups.values())].append(row)
    return [
        {
            **dict(zip(groups, key, strict=True)),
            **{column.name: column.of([column.argument(row) for row in members]) for column in aggregates},
        }
        for key, members in by_key.items()
    ]


def _order(value: Value) -> tuple[bool, float, str]:
    return (value is not None, value if isinstance(value, float) else 0.0, value if isinstance(value, str) else "")
