"""What the figures are to reach on two cores with durability on."""

from dataclasses import dataclass

from tests.benchmarks.report import Row, figure


@dataclass(frozen=True)
class Target:
    """A bound of a row's ratio, or of its value."""

    of: str
    sign: str
    bound: float

    def __str__(self) -> str:
        return f"{self.of} {self.sign} {self.bound:,g}"

    def verdict(self, row: Row) -> str:
        """Say whether a row is within the bound, or how far beyond."""
        found = row.ratio if self.of == "ratio" else row.value
        assert found is not None, f"{row.name} has no {self.of}"
        is_met = found >= self.bound if self.sign == "≥" else found <= self.bound
        return "met" if is_met else f"missed: {figure(found / self.bound)} of it"


TARGETS = {
    "posting_batch_500": Target("ratio", "≥", 4),
    "posting_hot_account": Target("ratio", "≥", 15),
    "pin_verify": Target("ratio", "≥", 0.65),
    "debit_leg": Target("ratio", "≥", 0.35),
    "full_wire_on_us": Target("ratio", "≤", 2.5),
    "api_acceptance": Target("value", "≤", 50),
    "payment_idle": Target("value", "≤", 150),
    "outbox": Target("value", "≥", 10_000),
    "outbox_p99": Target("value", "≤", 200),
    "commits_per_payment": Target("value", "≤", 12),
    "receiver_p99": Target("value", "≤", 50),
    "sandbox_leg_cpu": Target("ratio", "≤", 1),
    "growth_postgres_cpu": Target("ratio", "≤", 1.25),
}
