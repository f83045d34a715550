# SPDX-License-Identifier: BSD-3-Clause
"""users_test.py SERVER DOMAIN CA POSTGRES_SH FOLDER: what phones notice of the users' database being away."""
import subprocess
import sys
import time

from phone import Phone

server, domain, ca, script, folder = sys.argv[1:6]
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence)
    bad |= not holds


def phone(user):
    return Phone(user, "of-" + user, server, domain, ca, "SHA-256")


def database(command):
    subprocess.run(["sh", script, command, folder], check=True, stdout=subprocess.DEVNULL)


def until(one, status):
    """Logs in again and again, as a phone does; how it ended within ten seconds."""
    end = time.monotonic() + 10
    while True:
        last = one.log_in().status
        if last == status or time.monotonic() > end:
            return last
        time.sleep(0.1)


alice, bob, carol, dave = (phone(user) for user in ("alice", "bob", "carol", "dave"))
check("bob registers", bob.log_in().status == 200)
bob_known = time.monotonic() + 4  # users_store.cache_s
time.sleep(3)
check("alice registers", alice.log_in().status == 200)
wrong = Phone("alice", "guess", server, domain, ca, "SHA-256")
check("a wrong password does not", wrong.log_in().status == 401)

database("kill")
refused = carol.log_in()
check("the database is killed: carol, who was not here, gets 503", refused.status == 503)
check("and is told when to come back", int(refused["Retry-After"] or 0) > 0)
begin = time.monotonic()
check("alice registers again: she is known", alice.log_in().status == 200)
check("not with a wrong password, though", wrong.log_in().status == 401)
check("and nobody waits for the database", time.monotonic() - begin < 1)
time.sleep(max(0, bob_known - time.monotonic()) + 0.1)
call = alice.invite("bob")
bob.reply(bob.request("INVITE"), 603, "Decline")
final = alice.response("INVITE")
alice.acknowledge(call, final, call["uri"])
check("bob, who is forgotten as a user, is still registered, and called", final.status == 603)

database("start")
check("it is back: carol registers, with no help of ours", until(carol, 200) == 200)

check("and alice again", alice.log_in().status == 200)

database("hang")
begin = time.monotonic()
check("it hangs: dave gets 503", dave.log_in().status == 503)
check("within a second", time.monotonic() - begin < 1)
begin = time.monotonic()
check("alice registers meanwhile", alice.log_in().status == 200)
check("at once", time.monotonic() - begin < 0.5)
database("resume")
check("it goes on: dave registers", until(dave, 200) == 200)
sys.exit(bad)
