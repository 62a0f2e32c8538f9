"""Forks and processes: each has the token for itself, and none hurts another."""

import os
import signal
import threading
import time

import pytest
from pkcs11 import KeyType, MechanismFlag

from hsm import ceremony, pin, signing
from hsm.errors import HsmUnavailableError
from hsm.sessions import Pool, pool
from tests.hsm.test_pin import HERE, block_for

KEY = "xml-signing-1"

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")


def make_and_drop(session):
    key = session.raw.generate_key(KeyType.AES, 256, capabilities=MechanismFlag.WRAP)
    key.destroy()


def test_a_forked_child_uses_the_token_for_itself(token, in_child):
    verifier = pin.make_verifier(block_for(), **HERE)
    block = block_for()
    signature = signing.sign(KEY, b"x")

    def child():
        return (
            signing.sign_many(KEY, [b"x", b"x"]) == [signature] * 2,
            pin.verify(block, verifier=verifier, **HERE),
        )

    assert in_child(child) == "(True, True)"
    assert in_child(lambda: in_child(child)) == repr("(True, True)")
    assert signing.sign(KEY, b"x") == signature


def test_a_child_forked_without_reset_uses_the_token_for_itself(token, in_child):
    token.configuration.write_text(
        token.configuration.read_text().replace("reset_on_fork = true", "reset_on_fork = false")
    )
    signature = signing.sign(KEY, b"x")

    assert in_child(lambda: signing.sign(KEY, b"x") == signature) == "True"
    assert signing.sign(KEY, b"x") == signature


def test_children_forked_while_threads_sign_are_not_hurt(token, in_child):
    signature = signing.sign(KEY, b"x")
    done = threading.Event()

    def sign_on():
        while not done.is_set():
            assert signing.sign(KEY, b"x") == signature

    threads = [threading.Thread(target=sign_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        said = [in_child(lambda: signing.sign(KEY, b"x") == signature) for _ in range(20)]
    finally:
        done.set()
        for thread in threads:
            thread.join()

    assert said == ["True"] * 20


def test_a_child_forked_in_the_midst_of_a_call_does_not_touch_the_module(token, in_child):
    """It could find a mutex of the module locked, and wait for ever."""
    said = pool.run(lambda _: in_child(lambda: signing.sign(KEY, b"x")))

    assert said == repr(HsmUnavailableError("this process was forked in the midst of a call"))
    assert len(signing.sign(KEY, b"x")) == 256


@pytest.mark.parametrize(("inside", "is_safe"), [(0, True), (1, False)])
def test_a_child_knows_whether_somebody_was_inside(token, inside, is_safe):
    child = Pool()
    child._borrowed = inside

    child.after_fork_in_child()

    if is_safe:
        assert child.run(lambda session: session.raw.token.label) == "hsm-tests"
    else:
        with pytest.raises(HsmUnavailableError, match="forked"):
            child.run(lambda session: session)


def test_a_process_killed_inside_the_module_leaves_the_token_well(token):
    signature = signing.sign(KEY, b"x")
    for seconds in (0.05, 0.1, 0.15):
        pid = os.fork()
        if pid == 0:
            while True:
                signing.sign(KEY, b"x")
                pool.run(make_and_drop)
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    assert signing.sign(KEY, b"x") == signature
    assert ceremony.check_keys() == []


def test_several_processes_log_in_at_the_same_time(token, in_child):
    signature = signing.sign(KEY, b"x")
    said = []
    asks = [
        threading.Thread(
            target=lambda: said.append(in_child(lambda: signing.sign(KEY, b"x") == signature))
        )
        for _ in range(6)
    ]
    for thread in asks:
        thread.start()
    for thread in asks:
        thread.join()

    assert said == ["True"] * 6
