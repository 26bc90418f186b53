"""A fork whose parent is the parent of the process that forks. Linux only."""

import ctypes
import functools
import os
import platform
import signal
import sys
import threading

__all__ = ["clone_sibling", "die_with_parent", "is_possible"]

_CALLS = {"x86_64": 56, "aarch64": 220}
_CLONE_PARENT = 0x8000
_CLONE_CHILD_SETTID = 0x1000000
_PR_SET_PDEATHSIG = 1
# How far into glibc's record of a thread its id is looked for.
_REACH = 2048


def is_possible():
    """Return whether this system and this machine can do it."""
    return sys.platform == "linux" and platform.machine() in _CALLS


def clone_sibling():
    """Fork as ``os.fork`` does, but into a sibling: return its id, or 0 in it.

    Only for a process with a single thread: what glibc does for others is left out.
    """
    libc = ctypes.PyDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    flags = _CLONE_PARENT | _CLONE_CHILD_SETTID | signal.SIGCHLD
    number = ctypes.c_long(_CALLS[platform.machine()])
    thread_id = ctypes.c_void_p(_address_of_thread_id(libc))
    nothing = ctypes.c_long(0)
    # Order of the last two differs between machines: address of the id, and storage.
    last = (thread_id, nothing)
    if platform.machine() == "aarch64":
        last = (nothing, thread_id)
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    pid = libc.syscall(number, ctypes.c_long(flags), nothing, nothing, *last)
    if pid == 0:
        python.PyOS_AfterFork_Child()
    else:
        python.PyOS_AfterFork_Parent()
    if pid < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return pid


def _address_of_thread_id(libc):
    """Return where glibc keeps the id of this thread, for the copy to have its own."""
    libc.pthread_self.restype = ctypes.c_void_p
    return libc.pthread_self() + _offset_of_thread_id()


@functools.cache
def _offset_of_thread_id():
    """Return how far into glibc's record of a thread its id is.

    One record does not tell: half of an address in it may be the same number.
    """
    libc = ctypes.PyDLL(None)
    libc.pthread_self.restype = ctypes.c_void_p
    found = []

    def look():
        numbers = (ctypes.c_int32 * (_REACH // 4)).from_address(libc.pthread_self())
        own = threading.get_native_id()
        found.append({4 * at for at, number in enumerate(numbers) if number == own})

    look()
    other = threading.Thread(target=look)
    other.start()
    other.join()
    [offset] = set.intersection(*found)
    return offset


def die_with_parent():
    """Have the kernel kill this process when its parent ends, however it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
