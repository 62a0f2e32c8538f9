"""One login a process, sessions behind it, and what happens when the token goes away."""

import ctypes
import functools
import random
import threading
import time

import pytest
from django.test import override_settings
from pkcs11 import Attribute, KeyType, MechanismFlag
from pkcs11.exceptions import GeneralError
from structlog.testing import capture_logs

from hsm import ceremony, mac, pin, sessions, signing
from hsm.configuration import configuration
from hsm.errors import HsmUnavailableError, KeyMissingError
from hsm.pin import PinVerdict
from hsm.sessions import Pool, pool
from tests.hsm.conftest import start_anew
from tests.hsm.test_pin import HERE, ask, block_for, session_objects

KEY = "xml-signing-1"
# The promise is one second; the rest is for a machine that is busy with other things.
FAILS_CLOSED_SECONDS = 1.0 + 4.0

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")


def module():
    return ctypes.CDLL(str(configuration().module))


def until_it_works(call):
    """Ask until the token is back: by itself it is, a rest after a failed login is a second."""
    begun = time.monotonic()
    while time.monotonic() - begun < sessions.LOGIN_REST_SECONDS_MAX + 9.0:
        try:
            return call()
        except HsmUnavailableError:
            time.sleep(0.02)
    raise AssertionError("it did not come back")


def test_the_module_is_loaded_when_first_needed_and_logged_in_to_once(token):
    with capture_logs() as logs:
        start_anew()
        assert logs == []
        for _ in range(3):
            signing.sign(KEY, b"x")

    assert [entry["event"] for entry in logs] == ["hsm_login_opened"]


def test_a_session_and_its_keys_are_used_again(token):
    first = pool.run(lambda session: session)

    assert pool.run(lambda session: session) is first
    assert first.key(KEY, ceremony.kind_of(KEY)) is first.key(KEY, ceremony.kind_of(KEY))


def test_sessions_are_bounded_and_nobody_waits_long_for_one(token):
    held = []

    def hold(session):
        held.append(session)
        pool.run(hold)

    begun = time.monotonic()
    with pytest.raises(HsmUnavailableError, match="busy"):
        pool.run(hold)

    assert len({id(session) for session in held}) == len(held)
    assert len(held) == configuration().profile.sessions_max
    assert time.monotonic() - begun < FAILS_CLOSED_SECONDS
    assert mac.mac("mac-1", b"x") == mac.mac("mac-1", b"x")


def test_who_waits_gets_the_session_that_is_given_back(token, monkeypatch):
    small = Pool()
    monkeypatch.setattr(sessions, "WAIT_SECONDS_MAX", 5.0)
    entered, leave = threading.Event(), threading.Event()
    busy = [
        threading.Thread(target=small.run, args=(lambda _: (entered.set(), leave.wait()),))
        for _ in range(configuration().profile.sessions_max)
    ]
    for thread in busy:
        thread.start()
    entered.wait()
    threading.Timer(0.2, leave.set).start()

    assert small.run(lambda session: session.raw.token.label) == "hsm-tests"

    for thread in busy:
        thread.join()


def test_nobody_waits_long_while_another_logs_in(token):
    with pool._free, pytest.raises(HsmUnavailableError, match="busy"):
        _in_thread(lambda: signing.sign(KEY, b"x"))


def _in_thread(work):
    outcome = []

    def run():
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001 - raised again by the thread that asked
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


@pytest.mark.parametrize(
    ("_case", "break_login"),
    [
        ("sessions closed", lambda: module().C_CloseAllSessions(ctypes.c_ulong(_slot()))),
        ("logged out", lambda: module().C_Logout(ctypes.c_ulong(pool._keeper.handle))),
        ("module ended", lambda: module().C_Finalize(None)),
    ],
)
def test_a_lost_login_is_replaced_without_anybody_noticing(token, _case, break_login):
    verifier = pin.make_verifier(block_for(), **HERE)
    break_login()

    assert pin.verify(block_for(), verifier=verifier, **HERE) is True
    assert len(signing.sign(KEY, b"x")) == 256


def _slot():
    return pool._token.slot.slot_id


def test_a_login_lost_before_a_session_is_opened_is_replaced(token):
    signing.sign(KEY, b"x")
    pool._idle.clear()
    module().C_Finalize(None)

    assert len(signing.sign(KEY, b"x")) == 256


def test_a_key_that_nobody_sees_without_a_login_is_not_taken_for_missing(token):
    block = block_for()
    verifier = pin.make_verifier(block, **HERE)
    pool._idle.clear()
    module().C_Logout(ctypes.c_ulong(pool._keeper.handle))

    assert pin.verify_many([ask(block, verifier)]) == [PinVerdict.RIGHT]


def test_a_key_is_not_made_a_second_time_while_the_login_is_lost(token):
    public = signing.public_pem(KEY)
    pool._idle.clear()
    module().C_Logout(ctypes.c_ulong(pool._keeper.handle))

    assert ceremony.create_key(KEY) is False
    assert signing.public_pem(KEY) == public
    assert ceremony.check_keys() == []


def test_a_lost_login_is_not_replaced_under_who_still_uses_it(token):
    def outer(session):
        module().C_Finalize(None)
        with pytest.raises(HsmUnavailableError, match="busy"):
            signing.sign(KEY, b"x")
        return session

    held = pool.run(outer)

    assert held not in pool._idle
    assert len(signing.sign(KEY, b"x")) == 256


def test_a_token_that_is_away_fails_closed_and_comes_back_by_itself(token):
    verifier = pin.make_verifier(block_for(), **HERE)
    block = block_for()
    token.remove()

    for _ in range(3):
        begun = time.monotonic()
        assert pin.verify_many([ask(block, verifier)]) == [PinVerdict.UNAVAILABLE]
        with pytest.raises(HsmUnavailableError):
            signing.sign(KEY, b"x")
        assert time.monotonic() - begun < FAILS_CLOSED_SECONDS
    token.bring_back()

    until_it_works(lambda: signing.sign(KEY, b"x"))
    assert pin.verify(block, verifier=verifier, **HERE) is True


def test_a_token_that_came_back_before_anybody_asked_is_found(token):
    signing.sign(KEY, b"x")
    token.remove()
    pool.run(lambda session: list(session.raw.get_objects()))
    token.bring_back()

    assert len(signing.sign(KEY, b"x")) == 256


def test_a_token_made_after_the_first_try_is_found(empty_folder):
    with pytest.raises(HsmUnavailableError):
        signing.sign(KEY, b"x")

    ceremony.init_token()
    until_it_works(lambda: ceremony.create_key(KEY))

    assert len(signing.sign(KEY, b"x")) == 256


def test_a_token_without_any_key_is_taken_for_one_that_is_away(empty_folder):
    ceremony.init_token()

    with pytest.raises(HsmUnavailableError):
        signing.sign(KEY, b"x")


def test_after_a_failed_login_everybody_fails_at_once_for_a_while(token, monkeypatch):
    monkeypatch.setattr(sessions, "LOGIN_REST_SECONDS_MIN", 60.0)
    monkeypatch.setattr(sessions, "LOGIN_REST_SECONDS_MAX", 60.0)
    token.remove()
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(HsmUnavailableError):
                signing.sign(KEY, b"x")

    assert [entry["event"] for entry in logs] == ["hsm_login_failed"]


def test_a_user_pin_that_is_refused_is_tried_once(token):
    with override_settings(PKCS11_USER_PIN="not the PIN"):
        start_anew()
        with capture_logs() as logs:
            for _ in range(3):
                with pytest.raises(HsmUnavailableError):
                    signing.sign(KEY, b"x")

    assert [entry["event"] for entry in logs] == ["hsm_login_refused"]
    assert "not the PIN" not in repr(logs)
    assert "not the PIN" not in repr(configuration())


def test_a_call_that_fails_on_a_new_login_too_leaves_that_login_to_others(token):
    calls = []

    def work(session):
        calls.append(session)
        raise GeneralError

    with capture_logs() as logs, pytest.raises(HsmUnavailableError):
        pool.run(work)
    assert len(calls) == 2
    signing.sign(KEY, b"x")

    events = [entry["event"] for entry in logs]
    assert events == ["hsm_login_opened", "hsm_login_lost", "hsm_login_opened", "hsm_call_failed"]
    assert calls[1] not in pool._idle


def test_a_bug_in_the_work_costs_nobody_a_session(token):
    with pytest.raises(ZeroDivisionError):
        pool.run(lambda _: 1 // 0)

    assert pool._borrowed == 0
    assert len(pool._idle) == 1


def test_eight_threads_churn_without_a_crash(token, in_child):
    """In a child, so that a crash of the module is a failure and not the end of the tests."""
    verifier = pin.make_verifier(block_for(), **HERE)
    block = block_for()

    def churn(seed):
        chance = random.Random(seed)
        actions = [
            lambda: signing.sign(KEY, b"x"),
            lambda: pin.verify(block, verifier=verifier, **HERE),
            lambda: mac.mac("mac-1", b"x"),
            ceremony.list_keys,
            lambda: pool.run(_make_and_drop),
            lambda: pool.run(_open_and_close),
        ]
        for _ in range(40):
            chance.choice(actions)()

    def child():
        errors = []

        def guarded(seed):
            try:
                churn(seed)
            except Exception as error:  # noqa: BLE001 - it is reported to the parent
                errors.append(repr(error))

        threads = [threading.Thread(target=guarded, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return errors, session_objects()

    assert in_child(child) == "([], 0)"


def _make_and_drop(session):
    key = session.raw.generate_key(KeyType.AES, 256, capabilities=MechanismFlag.WRAP)
    key.destroy()


def _open_and_close(session):
    with session.raw.token.open() as other:
        list(other.get_objects({Attribute.LABEL: "mac-1"}))


def test_many_threads_survive_a_token_that_comes_and_goes(token):
    signature = signing.sign(KEY, b"x")
    outcomes = []
    done = threading.Event()

    def sign_on():
        while not done.is_set():
            try:
                outcomes.append(signing.sign(KEY, b"x") == signature)
            except HsmUnavailableError:
                outcomes.append(None)
                time.sleep(0.01)

    threads = [threading.Thread(target=sign_on) for _ in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(0.15)
        token.remove()
        time.sleep(0.15)
        token.bring_back()
        until_it_works(lambda: signing.sign(KEY, b"x"))
    done.set()
    for thread in threads:
        thread.join()

    assert set(outcomes) == {True, None}


def test_many_items_are_worked_once_each_and_in_order(token):
    double = functools.partial(lambda factor, item: factor * item, 2)

    assert pool.run_many(double, range(100)) == list(range(0, 200, 2))
    assert pool.run_many(double, [21]) == [42]


def test_what_one_of_many_raises_is_raised_when_all_have_left_the_token(token):
    ended = []

    def slowly(_session):
        time.sleep(0.1)
        ended.append("slow")

    def call(label):
        if label == "fails":
            raise KeyMissingError(label)
        pool.run(slowly)

    with pytest.raises(KeyMissingError):
        pool.run_many(call, ["fails", "slow"])

    assert ended == ["slow"]
