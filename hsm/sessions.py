"""One login to the token per process, and a bounded pool of sessions behind it."""

import math
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, TypeVar

import structlog
from pkcs11 import Attribute, Object, Session, Token, TokenFlag
from pkcs11.exceptions import (
    DeviceRemoved,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    UserNotLoggedIn,
)

from hsm import audit
from hsm.configuration import configuration
from hsm.errors import HsmUnavailableError, KeyMissingError, KeyUnfitError, TokenUnfitError
from hsm.keys import OBJECT_CLASSES, KeyKind, attributes_of
from hsm.library import Library, is_logged_in
from hsm.metrics import measured

log = structlog.get_logger(__name__)

T = TypeVar("T")
U = TypeVar("U")

# Nobody waits longer for a session or a new login: with the login itself it is within a second.
WAIT_SECONDS_MAX = 0.9
# Tried with SoftHSM: when several processes log in at once, 5 in 100 fail once.
LOGIN_TRIES_MAX = 3
LOGIN_PAUSE_SECONDS = 0.05
# After a login that failed nobody tries again before this; meanwhile every call fails at once.
LOGIN_REST_SECONDS_MIN = 0.1
LOGIN_REST_SECONDS_MAX = 1.0
# Nobody makes a key for longer, once its first half is there.
AUDIT_PAUSE_SECONDS = 0.1
# A token locks after a few wrong PINs, so a PIN that was refused is not tried again.
_PIN_REFUSED = (PinIncorrect, PinInvalid, PinLenRange, PinLocked)


class TokenSession:
    """A session, and the keys it has found: to look one up costs a third of a signature."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        # Set by who may have left an object behind: the session is closed, and takes it along.
        self.is_spent = False
        self._keys: dict[tuple[str, str], Any] = {}

    def key(self, label: str, kind: KeyKind) -> Any:
        """
        Return the private or secret key of that label, judged fit for its kind.

        Raises KeyMissingError, KeyUnfitError; PKCS11Error when the token itself is away.
        """
        asked = (kind.name, label)
        if asked not in self._keys:
            self._keys[asked] = self._find(label, kind)
        return self._keys[asked]

    def require_login(self) -> None:
        """
        Raise PKCS11Error when the token has logged us out.

        It shows no private object then, and says nothing of why: a key would look as if missing.
        """
        if not is_logged_in(str(configuration().module), self.raw.handle):
            raise UserNotLoggedIn

    def key_attributes(self) -> list[dict[Attribute, Any]]:
        """Return what may be known of every key. Raises PKCS11Error as `objects` does."""
        found = [attributes_of(one) for one in self.objects()]
        return [one for one in found if one[Attribute.CLASS] in OBJECT_CLASSES]

    def objects(self) -> list[Object]:
        """Return everything the token keeps. Raises PKCS11Error when it shows nothing at all."""
        self.require_login()
        found = list(self.raw.get_objects({Attribute.TOKEN: True}))
        if not found:
            # SoftHSM shows a token whose store is gone as one without objects.
            raise DeviceRemoved("the token shows no object at all")
        return found

    def _find(self, label: str, kind: KeyKind) -> Any:
        if not kind.label.fullmatch(label):
            raise KeyUnfitError(f"{label}: no {kind.name} key has such a label")
        # A search that is not read to its end blocks the session.
        found = list(
            self.raw.get_objects({Attribute.CLASS: kind.object_class, Attribute.LABEL: label})
        )
        if not found:
            self.objects()
            raise KeyMissingError(label)
        if len(found) > 1:
            raise KeyUnfitError(f"{label}: there is more than one")
        faults = kind.faults(attributes_of(found[0]))
        if faults:
            raise KeyUnfitError(f"{label}: {', '.join(faults)}")
        return found[0]


class Pool:
    """
    The sessions of one process, opened when first needed: after a fork, never before.

    A login that the token has lost is replaced as soon as nobody is inside the module: to start it
    anew under a running call would crash the process.
    """

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Know nothing of any login: the next call loads the module and logs in."""
        self._free = threading.Condition()
        self._library: Library | None = None
        self._token: Token | None = None
        # Closing the session that logged in would log every session out.
        self._keeper: Session | None = None
        self._idle: list[TokenSession] = []
        self._borrowed = 0
        self._forks = 0
        self._is_unsafe = False
        self._failures = 0
        self._rest_until = 0.0
        # Whether every key of this login passed, else what did not, and when to look again.
        self._is_audited = False
        self._faults: list[str] = []
        self._audit_rest_until = 0.0
        self._threads: ThreadPoolExecutor | None = None

    def run(
        self,
        work: Callable[[TokenSession], T],
        *,
        operation: str = "other",
        is_audited: bool = True,
    ) -> T:
        """
        Return what `work` returns, given a session of a login whose keys all passed the audit.

        `work` must be safe to repeat: it is called once more, on a new login, when the token has
        lost the first. Raises HsmUnavailableError within a second, TokenUnfitError while the token
        holds a wrong key (unless a ceremony asks to look all the same), and what `work` raises.
        """
        with measured(operation):
            return self._run(work, is_audited=is_audited)

    def _run(self, work: Callable[[TokenSession], T], *, is_audited: bool) -> T:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        if is_audited:
            asked, work = work, lambda session: asked(self._audited(session))
        try:
            return self._try(work, deadline, ends_login=True)
        except PKCS11Error as error:
            log.warning("hsm_login_lost", error=type(error).__name__)
        try:
            # What fails on a new login too is not the login's fault: others keep theirs.
            return self._try(work, deadline, ends_login=False)
        except PKCS11Error as error:
            log.warning("hsm_call_failed", error=type(error).__name__)
            raise HsmUnavailableError(str(error) or type(error).__name__) from error

    def run_many(self, function: Callable[[U], T], items: Sequence[U]) -> list[T]:
        """
        Return `function` of each item, several at once; each calls `run` for itself.

        What one of them raises is raised when all have ended: nobody is left in the module.
        """
        if len(items) <= 1:
            return [function(item) for item in items]
        with self._free:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(
                    configuration().profile.threads, thread_name_prefix="hsm"
                )
            threads = self._threads
        calls = [threads.submit(function, item) for item in items]
        wait(calls)
        return [call.result() for call in calls]

    def run_alone(self, work: Callable[[Library], T]) -> T:
        """
        Return what `work` returns, given the module, newly started, that nobody else is in.

        Raises HsmUnavailableError when sessions are in use, and PKCS11Error as `work` does.
        """
        with self._free:
            if self._borrowed:
                raise HsmUnavailableError("sessions are in use")
            self._end_login()
            return work(self._started_library())

    def before_fork(self) -> None:
        """Let nobody be inside the module: a child would inherit its mutexes locked for ever."""
        self._free.acquire()
        self._forks += 1
        self._free.wait_for(lambda: not self._borrowed, timeout=WAIT_SECONDS_MAX)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._forks -= 1
        self._free.notify_all()
        self._free.release()

    def after_fork_in_child(self) -> None:
        """Start anew: the parent's sessions are not the child's, even where they seem to work."""
        inside = self._borrowed
        self.start_anew()
        self._is_unsafe = inside > 0

    def _try(self, work: Callable[[TokenSession], T], deadline: float, *, ends_login: bool) -> T:
        session = self._borrow(deadline)
        failed = False
        try:
            return work(session)
        except PKCS11Error:
            failed = True
            raise
        finally:
            self._give_back(session, failed=failed, ends_login=failed and ends_login)

    def _audited(self, session: TokenSession) -> TokenSession:
        """Return the session when no key of this login is wrong. Raises TokenUnfitError."""
        if self._is_audited:
            return session
        if not self._faults or time.monotonic() >= self._audit_rest_until:
            self._faults = audit.key_faults(session.key_attributes())
            if self._faults:
                # Another process may be in the midst of making a key.
                time.sleep(AUDIT_PAUSE_SECONDS)
                self._faults = audit.key_faults(session.key_attributes())
            self._audit_rest_until = time.monotonic() + LOGIN_REST_SECONDS_MAX
            if self._faults:
                log.error("hsm_keys_unfit", faults=self._faults)
        if self._faults:
            raise TokenUnfitError("; ".join(self._faults))
        self._is_audited = True
        return session

    def _borrow(self, deadline: float) -> TokenSession:
        if not self._free.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise HsmUnavailableError("the token is busy")
        try:
            while not self._may_borrow():
                if not self._free.wait(max(0.0, deadline - time.monotonic())):
                    raise HsmUnavailableError("the token is busy")
            session = self._idle.pop() if self._idle else self._open_session()
            self._borrowed += 1
            return session
        finally:
            self._free.release()

    def _may_borrow(self) -> bool:
        if self._forks:
            return False
        if self._token is None and not self._borrowed:
            self._log_in()
        return self._token is not None and (
            bool(self._idle) or self._borrowed < configuration().profile.sessions_max
        )

    def _open_session(self) -> TokenSession:
        assert self._token is not None
        try:
            return TokenSession(self._token.open())
        except PKCS11Error:
            self._end_login()
            raise

    def _give_back(self, session: TokenSession, *, failed: bool, ends_login: bool) -> None:
        with self._free:
            self._borrowed -= 1
            if ends_login:
                self._end_login()
            elif failed or session.is_spent:
                with suppress(PKCS11Error):
                    session.raw.close()
            elif self._token is not None:
                self._idle.append(session)
            self._free.notify_all()

    def _end_login(self) -> None:
        """Let no one begin anything on this login; its sessions end when the module starts anew."""
        self._token = None
        self._keeper = None
        self._idle.clear()

    def _log_in(self) -> None:
        """Start the module and log in. The caller holds the lock and nobody is in the module."""
        if self._is_unsafe:
            raise HsmUnavailableError("this process was forked in the midst of a call")
        if time.monotonic() < self._rest_until:
            raise HsmUnavailableError("the last login failed")
        tries = 0
        while True:
            tries += 1
            try:
                self._open_login()
            except _PIN_REFUSED as error:
                self._rest_until = math.inf
                log.exception("hsm_login_refused")
                raise HsmUnavailableError("the token refuses our PIN") from error
            except (PKCS11Error, OSError) as error:
                if tries == LOGIN_TRIES_MAX:
                    self._rest(error)
                    raise HsmUnavailableError("the token cannot be logged in to") from error
                time.sleep(random.uniform(0.5, 1.0) * LOGIN_PAUSE_SECONDS)  # noqa: S311
            else:
                self._failures = 0
                log.info("hsm_login_opened")
                return

    def _open_login(self) -> None:
        token = self._started_library().get_token(
            token_label=configuration().token_label, token_flags=TokenFlag.USER_PIN_INITIALIZED
        )
        self._keeper = token.open(user_pin=configuration().user_pin)
        # Whoever judged the keys of the login before may have ended after it: nobody is inside now.
        self._is_audited = False
        self._faults = []
        self._token = token

    def _started_library(self) -> Library:
        if self._library is None:
            self._library = Library(str(configuration().module))
        else:
            self._library.initialize()
        return self._library

    def _rest(self, error: Exception) -> None:
        rest = min(LOGIN_REST_SECONDS_MAX, LOGIN_REST_SECONDS_MIN * 2**self._failures)
        self._rest_until = time.monotonic() + random.uniform(0.5, 1.0) * rest  # noqa: S311
        self._failures += 1
        log.warning("hsm_login_failed", error=type(error).__name__, failures=self._failures)


pool = Pool()
os.register_at_fork(
    before=pool.before_fork,
    after_in_parent=pool.after_fork_in_parent,
    after_in_child=pool.after_fork_in_child,
)
