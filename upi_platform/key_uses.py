"""What can only be verified with a key of a kind; a key ends when nothing of it is left."""

from collections.abc import Mapping

from apps.accounts.services import pin_keys
from apps.operators.contracts import KeyUse
from hsm import keys

KEY_USES: Mapping[str, KeyUse] = {
    keys.PIN_VERIFICATION.name: KeyUse(count=pin_keys.count, let_go=pin_keys.let_go),
}
