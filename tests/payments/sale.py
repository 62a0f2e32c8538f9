"""A payment to a merchant that the switch calls done, and what goes back of it."""

import uuid

from apps.common import ids
from apps.payments.models import Leg, RefundBound, Transaction
from apps.payments.states import Role
from tests.payments.hand import Deal, Side, drain

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")
PAID = 14950


def due():
    Leg.objects.filter(next_action_at__isnull=False).update(next_action_at="2000-01-01T00:00:00Z")


class Sale:
    """A merchant, its payment, and its requests to give back."""

    def __init__(self, hand, shop, side, payer=ABROAD):
        self.hand, self.shop, self.side, self.payer = hand, shop, side, payer
        self.deal = self.pay(shop.order(amount=PAID).json()["reference"])

    def pay(self, reference, *, is_confirmed=True):
        deal = Deal(payer=self.payer, payee=self.side, reference=reference)
        self.hand.authorise(deal)
        drain(Role.PAYEE_PSP)
        self.hand.credit(deal)
        drain(Role.CREDIT)
        if is_confirmed:
            self.hand.confirm(deal)
        return deal

    @property
    def payment_id(self):
        return ids.public_id(
            "pay", Leg.objects.get(transaction_id=self.deal.id, role="PAYEE_PSP").pk
        )

    def ask(self, key=None, **body):
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        path = f"/v1/payments/{self.payment_id}/refunds"
        return self.shop.client.post(path, body, format="json", headers=headers)

    def refund(self, **body):
        """Ask for a refund and send it; return what the API said and the deal of the refund."""
        answer = self.ask(**body)
        assert answer.status_code == 202, answer.content
        drain(Role.PAYER_PSP)
        return answer.json(), self.deal_of(answer.json()["upi"]["txn_id"])

    def deal_of(self, transaction_id):
        facts = Transaction.objects.get(pk=transaction_id)
        return Deal(
            payer=self.side,
            payee=self.payer,
            paise=facts.amount_paise,
            id=facts.pk,
            rrn=facts.rrn,
            note=facts.note,
            reference=facts.reference or None,
            at=facts.initiated_at,
        )

    def see(self, refund):
        return self.shop.client.get(f"/v1/refunds/{refund['id']}").json()

    @property
    def left(self):
        bound = RefundBound.objects.get(pk=self.deal.id)
        return bound.amount_paise - bound.refunded_paise
