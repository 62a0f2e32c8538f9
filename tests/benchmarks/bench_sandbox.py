"""
The sandbox's switch under load: is it ever the bottleneck of a benchmark?

A small bank, in this process, pays within itself and answers at once; the switch is a process of
its own. The figure is the switch's CPU time for a leg (a debit or a credit with its answer), and
it holds everything that the legs need around them: authorisation, confirmation and final answer,
signing and verifying each message, and the journal's commits.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from lxml import etree

from tests.benchmarks import conditions
from tests.benchmarks.report import Row, report
from tests.sandbox import spoken
from tests.sandbox.bank import Bank, Message
from tests.sandbox.conftest import World, free_port

PAYMENTS = conditions.count(600, quick=200)
WARM_UP = 60
AT_ONCE = 24
LEGS = 2
# What the switch may spend on a leg if one core is to carry 250 of them a second.
MILLISECONDS_MAX = 4.0
_TICKS = os.sysconf("SC_CLK_TCK")


class PayingBank(Bank):
    """A bank whose customer pays its shop again and again, so many payments at once."""

    def pay(self, switch_key, payments: int) -> float:
        """Return the seconds that it took until all of them had succeeded."""
        done = asyncio.run_coroutine_threadsafe(self._pay_all(switch_key, payments), self._loop)
        return done.result()

    async def _pay_all(self, switch_key, payments: int) -> float:
        bodies = [self._payment(switch_key) for _ in range(payments)]
        self._ends = {txn_id: self._loop.create_future() for txn_id, _ in bodies}
        gate = asyncio.Semaphore(AT_ONCE)
        began = time.monotonic()
        await asyncio.gather(*(self._one(gate, *body) for body in bodies))
        return time.monotonic() - began

    def _payment(self, switch_key) -> tuple[str, bytes]:
        request = spoken.pay_request(switch_key, spoken.SHOP)
        return request.find("Txn").get("id"), self.signer.sign(request)

    async def _one(self, gate: asyncio.Semaphore, txn_id: str, body: bytes) -> None:
        url = f"{self.switch_url}/upi/ReqPay/2.0/urn:txnid:{txn_id}"
        async with gate:
            async with self._session.post(url, data=body) as response:
                assert etree.fromstring(await response.read()).get("err") == ""
            assert await self._ends[txn_id] == "SUCCESS"

    async def _take(self, request):
        answer = await super()._take(request)
        message: Message = self.heard.pop()
        if message.api == "RespPay":
            self._ends[message.txn_id].set_result(message.get("Resp", "result"))
        return answer


def cpu_seconds(process_id: int) -> float:
    """Return the CPU time of a process so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def main() -> int:
    """Measure, print and append to bench.json; a payment that does not succeed is an error."""
    with tempfile.TemporaryDirectory() as name:
        world = _opened(Path(name))
        world.control.post("/timers", json={"scale": 1})
        try:
            world.bank.pay(world.switch_key, WARM_UP)
            before = cpu_seconds(world.process.pid)
            seconds = world.bank.pay(world.switch_key, PAYMENTS)
            spent = cpu_seconds(world.process.pid) - before
        finally:
            # First the bank, which says its last words to a switch that is there.
            world.bank.stop()
            world.stop()
            world.control.close()
    legs = LEGS * PAYMENTS
    milliseconds = spent / legs * 1000
    report(
        f"the sandbox's switch, {PAYMENTS} on-us payments, {AT_ONCE} at once",
        [
            Row("sandbox_leg_cpu", milliseconds, "ms", MILLISECONDS_MAX),
            Row("sandbox_legs", 1000 / milliseconds, "/s", 1000 / MILLISECONDS_MAX),
            Row("sandbox_legs_beside_bank", legs / seconds, "/s", 1000 / MILLISECONDS_MAX),
        ],
    )
    return 0


def _opened(folder: Path) -> World:
    keys, data = folder / "keys", folder / "data"
    keys.mkdir()
    data.mkdir()
    port, control_port = free_port(), free_port()
    bank = PayingBank(f"http://127.0.0.1:{port}", spoken.natural)
    (keys / "900001.signing.pem").write_bytes(bank.signer.pem())
    (keys / "900001.credential.pem").write_bytes(
        bank.issuer.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    bank.start()
    control = httpx.Client(base_url=f"http://127.0.0.1:{control_port}", timeout=30)
    world = World(control, bank, keys, data, port, control_port)
    world.start()
    return world


if __name__ == "__main__":
    sys.exit(main())
