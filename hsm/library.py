"""The PKCS#11 module of this process: what python-pkcs11 does not do, by ctypes."""

import ctypes
from typing import ClassVar

from pkcs11 import _pkcs11
from pkcs11.exceptions import GeneralError

# PKCS #11 v2.40, sections 5.4 (initialise arguments) and 5.1 (return values).
_CKF_OS_LOCKING_OK = 2
_CKR_OK = 0
# PKCS #11 v2.40, section 3.3: the states of a session whose user is logged in.
_USER_STATES = (1, 3)
# PKCS #11 v2.40, section 3.2: the label of a token is padded with blanks.
_TOKEN_LABEL_BYTES = 32


class _InitializeArguments(ctypes.Structure):
    _fields_: ClassVar = [
        ("CreateMutex", ctypes.c_void_p),
        ("DestroyMutex", ctypes.c_void_p),
        ("LockMutex", ctypes.c_void_p),
        ("UnlockMutex", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("pReserved", ctypes.c_void_p),
    ]


class _SessionInformation(ctypes.Structure):
    _fields_: ClassVar = [
        (name, ctypes.c_ulong) for name in ("slotID", "state", "flags", "ulDeviceError")
    ]


class Library(_pkcs11.lib):
    """
    A loaded module that several threads may use.

    python-pkcs11 initialises with no arguments, and SoftHSM then switches its mutexes off: threads
    that sign at the same time crash the process. So we initialise, with CKF_OS_LOCKING_OK.
    """

    def __init__(self, module: str) -> None:
        # The module stays loaded for the life of the process, whatever happens to this object.
        self._module = ctypes.CDLL(module)
        super().__init__(module)

    def initialize(self) -> None:
        """
        Start the module anew in this process, whoever started it before; every session is gone.

        After a fork the parent's sessions may seem to work: PKCS #11 wants the child to start anew.
        No other call may be running. Raises PKCS11Error.
        """
        # If it does not end, it does not start either, and that is looked at.
        self._module.C_Finalize(None)
        arguments = _InitializeArguments(flags=_CKF_OS_LOCKING_OK)
        started = self._module.C_Initialize(ctypes.byref(arguments))
        if started != _CKR_OK:
            raise GeneralError(f"C_Initialize returned {started:#x}")

    def init_token(self, *, slot_id: int, label: str, so_pin: str) -> None:
        """Make an empty token in a slot, all its objects gone. Raises PKCS11Error."""
        pin = so_pin.encode()
        made = self._module.C_InitToken(
            ctypes.c_ulong(slot_id),
            pin,
            ctypes.c_ulong(len(pin)),
            label.encode().ljust(_TOKEN_LABEL_BYTES),
        )
        if made != _CKR_OK:
            raise GeneralError(f"C_InitToken returned {made:#x}")


def is_logged_in(module: str, session: int) -> bool:
    """Say whether the token still knows us in this session, by its handle."""
    found = _SessionInformation()
    told = ctypes.CDLL(module).C_GetSessionInfo(ctypes.c_ulong(session), ctypes.byref(found))
    return told == _CKR_OK and found.state in _USER_STATES
