"""Hand a balance to the customer who asked for it, once."""

from apps.common.money import Money
from apps.customers import session_store
from apps.customers.models import AccountRequest
from apps.customers.states import RequestState


def take_balance(request: AccountRequest) -> Money | None:
    """Return the balance that answers the request, None before it came and after it was taken."""
    if request.state != RequestState.SUCCESS:
        return None
    paise = session_store.take_balance(request.pk)
    return None if paise is None else Money(paise)
