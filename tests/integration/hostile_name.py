# SPDX-License-Identifier: BSD-3-Clause
"""hostile_name.py SERVER DOMAIN CA: mallory, whose display name is HTML, calls bob and holds the call until
standard input ends; before, it calls somebody whose name is HTML, too."""
import sys

from phone import Phone

EVIL = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"


class Mallory(Phone):
    def headers(self, method, call, cseq, to, to_tag="", sender=None):
        lines = super().headers(method, call, cseq, to, to_tag, sender)
        return ['From: "%s" %s' % (EVIL, line[6:]) if line.startswith("From: ") else line for line in lines]


server, domain, ca = sys.argv[1:4]
mallory = Mallory("mallory", "hunter22", server, domain, ca)
assert mallory.log_in().status == 200
lost = mallory.invite("%3Cimg%20src=x%20onerror=document.title=1%3E")
refused = mallory.response("INVITE")
assert refused.status >= 400, refused.start
mallory.acknowledge(lost, refused, lost["uri"])
call = mallory.invite("bob")
answer = mallory.response("INVITE")
assert answer.status == 200, answer.start
mallory.acknowledge(call, answer)
print("up", flush=True)
sys.stdin.read()
mallory.hang_up(call)
assert mallory.response("BYE").status == 200
