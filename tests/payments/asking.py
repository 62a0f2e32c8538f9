"""Those who ask for money by collects: a shop of another bank, and a merchant of ours."""

import datetime as dt
import uuid

from apps.common import clock
from apps.payments.models import Leg, Transaction
from apps.payments.states import Role
from apps.upi.contracts import MerchantBlock
from tests.api.people import open_shop
from tests.payments.hand import Deal, Side, drain
from tests.payments.payer import shop_side

RAVI = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")
STORE = Side(
    address="store1@smplbank",
    number="009876543210",
    ifsc="SMPL0000002",
    name="Example Store",
    merchant=MerchantBlock(
        sub_code="5411",
        mid="MID0001",
        sid="STORE01",
        tid="TID00001",
        merchant_type="SMALL",
        merchant_genre="OFFLINE",
        on_boarding_type="BANK",
        brand="Example Store",
        legal="Example Store",
        franchise="Example Store",
        ownership="PRIVATE",
    ),
)
PAISE = 14950


def due():
    Leg.objects.filter(next_action_at__isnull=False).update(next_action_at="2000-01-01T00:00:00Z")


def expire():
    """Let every collect's time be over."""
    past = clock.now() - dt.timedelta(minutes=5)
    Leg.objects.filter(expires_at__isnull=False).update(expires_at=past)
    due()


class Asking:
    """A merchant of ours that asks payers for what its orders cost."""

    def __init__(self, hand):
        self.hand, self.shop = hand, open_shop()
        self.side = shop_side(hand, self.shop)
        self.order = self.shop.order(amount=PAISE).json()

    def post(self, key=None, **body):
        body = {"order": self.order["id"], "payer_vpa": RAVI.address} | body
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.shop.client.post("/v1/collects", body, format="json", headers=headers)

    def ask(self, **body):
        answer = self.post(**body)
        assert answer.status_code == 202, answer.content
        drain(Role.PAYEE_PSP)
        return answer.json(), self.deal(answer.json()["upi"]["txn_id"])

    def deal(self, transaction_id, payer=RAVI):
        facts = Transaction.objects.get(pk=transaction_id)
        return Deal(
            payer=payer,
            payee=self.side,
            paise=facts.amount_paise,
            id=facts.pk,
            rrn=facts.rrn,
            note=facts.note,
            reference=facts.reference,
            at=facts.initiated_at,
        )

    def see(self, collect):
        return self.shop.client.get(f"/v1/collects/{collect['id']}").json()

    def order_status(self):
        return self.shop.client.get(f"/v1/orders/{self.order['id']}").json()["status"]
