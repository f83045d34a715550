# SPDX-License-Identifier: BSD-3-Clause
"""penalty_test.py SERVER DOMAIN CA: what wrong passwords cost, with three free for a user and six for a source, then
two seconds and more. bob is at home here, alice is not yet."""
import sys
import time

from phone import Phone

server, domain, ca = sys.argv[1:4]
bad = 0
uri = "sip:" + domain


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence)
    bad |= not holds


def log_in(user, password):
    one = Phone(user, password, server, domain, ca, "SHA-256")
    last = one.log_in()
    one.close()
    return last


check("bob is at home", log_in("bob", "builder").status == 200)
check("three failures are free", [log_in("alice", "guess").status for _ in range(3)] == [401] * 3)
check("so is none that follows: the right one is taken", log_in("alice", "wonderland").status == 200)
check("but at home her own count", [log_in("alice", "guess").status for _ in range(4)] == [401] * 4)
begin = time.monotonic()
locked = log_in("alice", "wonderland")
check("now even the right one is not looked at: 503", locked.status == 503)
check("and she is told when", locked["Retry-After"] in ("1", "2"))
check("bob is not hurt", log_in("bob", "builder").status == 200)

known = [log_in("carol", "guess").status for _ in range(6)]
check("a name that nobody has is locked just so", known == [401] * 4 + [503] * 2)
check("and then the whole source, for strangers", [log_in("dave", "guess").status] == [503])
check("bob goes on", log_in("bob", "builder").status == 200)
until = begin + 2.2
time.sleep(max(0, until - time.monotonic()))  # that time passes is what is tested
check("two seconds later alice is looked at again", log_in("alice", "wonderland").status == 200)
sys.exit(bad)
