#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Stops one thread of a process, and no other, until this one is ended.

usage: hold_thread.py THREAD-ID"""
import ctypes
import os
import signal
import sys

SEIZE, INTERRUPT = 0x4206, 0x4207
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
for request in SEIZE, INTERRUPT:
    if libc.ptrace(request, int(sys.argv[1]), None, None) != 0:
        sys.exit(f"thread {sys.argv[1]} can't be held: {os.strerror(ctypes.get_errno())}")
print("held", flush=True)
signal.pause()  # the kernel lets the thread go when we end
