"""How a reconciliation is told: to a person, and to a program."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from apps.common.money import Money
from apps.settlement.contracts import Reconciliation


def text_of(found: Reconciliation, *, is_over: bool = True) -> Iterator[str]:
    """Return the lines for a person: the breaks by kind, each with its exposure."""
    yield f"{found.date}: {found.rows} rows in the file, {found.matched} matched"
    if not is_over:
        yield "the day still runs: what has not ended is left for the next time"
    kinds = Counter(each.kind for each in found.breaks)
    for kind, count in sorted(kinds.items()):
        of_kind = [each for each in found.breaks if each.kind == kind]
        exposure = Money(sum(each.exposure.paise for each in of_kind))
        yield f"\n{kind}: {count}, exposure {exposure.display()}"
        for each in of_kind:
            yield (
                f"  {each.transaction_id}  {each.rrn or '-':12}"
                f"  {each.exposure.display():>14}  {each.detail}"
            )
    yield "\nno breaks" if not found.breaks else f"\n{len(found.breaks)} breaks"


def document(found: Reconciliation) -> dict[str, Any]:
    """Return the same for a program."""
    return {
        "date": found.date.isoformat(),
        "rows": found.rows,
        "matched": found.matched,
        "breaks": [
            {
                "kind": each.kind,
                "txn_id": each.transaction_id,
                "rrn": each.rrn,
                "exposure_paise": each.exposure.paise,
                "detail": each.detail,
            }
            for each in found.breaks
        ],
    }
