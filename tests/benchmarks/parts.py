"""The list of benchmarks: what each measures, and which servers it finds running."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """
    One benchmark: the module bench_<name>, and the rows by which it can be asked for as well.

    It is started among `servers`, or starts a platform of its own where there are none.
    """

    name: str
    rows: tuple[str, ...]
    servers: str = ""


PARTS = (
    Part("posting", ("posting_batch_500", "posting_hot_account"), servers="postgres"),
    Part("hsm", ("pin_verify", "signatures"), servers="hsm"),
    Part("outbox", ("outbox", "outbox_p99"), servers="postgres,redis,kafka"),
    Part("full_wire", ("full_wire_on_us", "payment_idle", "commits_per_payment")),
    Part("legs", ("debit_leg", "credit_leg")),
    Part("acceptance", ("api_acceptance",)),
    Part("receiver", ("receiver_p99",)),
    Part("sandbox", ("sandbox_leg_cpu",), servers="postgres"),
    Part("growth", ("growth_postgres_cpu",)),
)


def chosen(words: str) -> tuple[Part, ...]:
    """Return the parts that are named, by themselves or by a row; all without a name."""
    names = set(words.split())
    found = tuple(part for part in PARTS if {part.name, *part.rows} & names)
    unknown = names - {name for part in found for name in (part.name, *part.rows)}
    if unknown:
        known = " ".join(part.name for part in PARTS)
        raise SystemExit(f"no such benchmark: {' '.join(sorted(unknown))} (there are: {known})")
    return found or PARTS
