# SPDX-License-Identifier: BSD-3-Clause
"""digest_test.py SERVER DOMAIN CA: digest as RFC 7616 and 8760 want it, and every way to get it wrong."""
import sys
import time

from phone import Phone

server, domain, ca = sys.argv[1:4]
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence)
    bad |= not holds


def phone(user="alice", password="wonderland", algorithm="SHA-256"):
    return Phone(user, password, server, domain, ca, algorithm)


alice = phone()
uri = "sip:" + domain
first = alice.register()
offered = alice.challenges(first)
check("401 with a challenge for each algorithm", first.status == 401 and len(offered) == 3)
check("the strongest first", [one["algorithm"] for one in offered] == ["SHA-512-256", "SHA-256", "MD5"])
check("qop, opaque, realm and nonce in each",
      all(one["qop"] == "auth,auth-int" and one["opaque"] and one["realm"] == domain and len(one["nonce"]) > 20
          for one in offered))
check("a nonce for each", len({one["nonce"] for one in offered}) == 3)
check("SHA-256 registers", alice.log_in().status == 200)
check("MD5 registers", phone(algorithm="MD5").log_in().status == 200)
check("SHA-512-256 registers", phone(algorithm="SHA-512-256").log_in().status == 200)

fresh = alice.challenge()
good = alice.answer(fresh, "REGISTER", uri)
check("a right answer is taken", alice.register([good]).status == 200)
check("the same answer again is not (nc must rise)", alice.register([good]).status == 401)
check("a higher nc under the same nonce is",
      alice.register([alice.answer(fresh, "REGISTER", uri)]).status == 200)
check("a lower one is not", alice.register([alice.answer(fresh, "REGISTER", uri, 1)]).status == 401)

for kind in ("MD5", "SHA-256", "SHA-512-256"):
    whole = phone(algorithm=kind)
    fresh = whole.challenge()
    check("auth-int with %s: a body as it was signed is taken" % kind,
          whole.register([whole.answer(fresh, "REGISTER", uri, body="signed")], body="signed").status == 200)
    check("another body is not",
          whole.register([whole.answer(fresh, "REGISTER", uri, body="signed")], body="another").status == 401)
session = alice.answer(alice.challenge(), "REGISTER", uri)
check("-sess was not offered, and is not taken",
      alice.register([session.replace("SHA-256,", "SHA-256-sess,")]).status == 401)
fresh = alice.challenge()

forged = dict(fresh, nonce=fresh["nonce"][:-1] + ("0" if fresh["nonce"][-1] != "0" else "1"))
check("a forged nonce is not taken", alice.register([alice.answer(forged, "REGISTER", uri)]).status == 401)

wrong = phone(password="guess")
nobody = phone(user="nobody", password="guess")
one, other = wrong.log_in(), nobody.log_in()
check("a wrong password is 401", one.status == 401 and "stale" not in str(wrong.challenges(one)))
check("an unknown user looks the same",
      other.status == 401 and [sorted(c) for c in nobody.challenges(other)] == [sorted(c) for c in wrong.challenges(one)])

bare = alice.challenge()
noqop = alice.answer(bare, "REGISTER", uri).replace(", qop=auth", "")
check("without qop it is not taken", alice.register([noqop]).status in (400, 401))
check("for another URI it is not taken",
      alice.register([alice.answer(bare, "REGISTER", "sip:elsewhere.test")]).status in (400, 401))

call = alice.new_call()
alice.register(call=call, sender="sip:bob@" + domain)
taken = alice.register([alice.answer(alice.challenge(), "REGISTER", uri)],
                       sender="sip:bob@" + domain)
check("nobody registers for somebody else: 403", taken.status == 403)

old = alice.challenge()
time.sleep(2.5)
late = alice.register([alice.answer(old, "REGISTER", uri)])
check("an old nonce comes back stale=true",
      late.status == 401 and alice.challenges(late)[0].get("stale", "").lower() == "true")
check("and with the new one it goes on",
      alice.register([alice.credentials(late, "REGISTER", uri)]).status == 200)

# -- who speaks for whom

def invite(sender, to="bob"):
    target = "sip:%s@%s" % (to, domain)
    call = alice.new_call()
    alice.send("INVITE %s SIP/2.0" % target, alice.headers("INVITE", call, 1, target, sender=sender)
               + ["Content-Type: application/sdp", alice.answer(alice.challenge(), "INVITE", target)],
               alice.sdp())
    final = alice.response("INVITE")
    call["uri"] = target
    alice.acknowledge(call, final, target)
    return final.status


third = alice.new_call()
third["cseq"] = 1
alice.send("REGISTER %s SIP/2.0" % uri,
           alice.headers("REGISTER", third, 1, "sip:bob@" + domain)
           + [alice.answer(alice.challenge(), "REGISTER", uri)])
check("nor binds somebody else's address to itself: 403", alice.response("REGISTER").status == 403)
check("a call under another's name is refused: 403", invite("sip:bob@" + domain) == 403)
check("or under one's own at another domain", invite("sip:alice@elsewhere.test") == 403)
check("or under no user's name at all", invite("sip:" + domain) == 403)
check("under one's own it is looked at", invite(alice.address) in (404, 480))
check("and anonymously, too", invite("sip:anonymous@anonymous.invalid") in (404, 480))

# -- one look and one cost for wrong passwords and unknown users

def costs(*phones):
    """The medians of the microseconds to each one's refusal; in turn, for the machine has its moods."""
    times = [[] for _ in phones]
    for _ in range(200):
        for who, mine in zip(phones, times):
            answer = who.answer(who.challenge(), "REGISTER", uri)
            begin = time.perf_counter()
            assert who.register([answer]).status == 401
            mine.append(time.perf_counter() - begin)
    return [sorted(mine)[len(mine) // 2] * 1e6 for mine in times]


for attempt in range(3):
    known, unknown = costs(wrong, nobody)
    if abs(known - unknown) < 0.2 * min(known, unknown):
        break
check("they cost the same: %.0f and %.0f us" % (known, unknown),
      abs(known - unknown) < 0.2 * min(known, unknown))

brief = alice.register([alice.answer(alice.challenge(), "REGISTER", uri), "Expires: 5"])
check("an expiry below the least is 423 with Min-Expires", brief.status == 423 and brief["Min-Expires"] == "60")
listed = alice.register([alice.answer(alice.challenge(), "REGISTER", uri), "Expires: 120"])
check("the binding comes back with its time", "expires=" in (listed["Contact"] or ""))
sys.exit(bad)
