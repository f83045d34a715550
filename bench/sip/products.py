# SPDX-License-Identifier: BSD-3-Clause
"""What is measured: Sallyport, and Kamailio with rtpengine, each as one object that starts and stops
its processes. Both listen at SIP_PORT by TLS, know the same users by the same hashes, challenge REGISTER
and INVITE, send calls to CALLEE on to the trunk by mutual TLS, and have a relay install their media."""
import glob
import hashlib
import json
import os
import sqlite3

from processes import Process, run, wait_listening, wait_until

DOMAIN = "sip.bench.test"
TRUNK = "trunk.bench.test"
CALLEE = "+4930123"
SIP_PORT, TRUNK_PORT, PEERING_PORT, NG_PORT = 5061, 5071, 5062, 2223
MEDIA_ADDRESS = "192.0.2.1"
KAMAILIO_TABLES = "/usr/share/kamailio/db_sqlite"


def user_name(number):
    return f"u{number:06d}"


def password(number):
    return f"secret{number}"


def ha1(number):
    text = f"{user_name(number)}:{DOMAIN}:{password(number)}"
    return hashlib.md5(text.encode()).hexdigest()


def make_certificates(folder):
    """An authority, and what each side shows: server.pem and trunk.pem."""
    os.makedirs(folder)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run(["openssl", "req", "-x509", *curve, "-days", "2", "-subj", "/CN=SIP lab",
         "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem"])
    for name, host in (("server", DOMAIN), ("trunk", TRUNK)):
        run(["openssl", "req", *curve, "-subj", f"/CN={host}", "-keyout", f"{folder}/{name}.key",
             "-out", f"{folder}/{name}.csr"])
        with open(f"{folder}/{name}.ext", "w", encoding="ascii") as file:
            file.write(f"subjectAltName=DNS:{host},IP:127.0.0.1\n")
        run(["openssl", "x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/ca.pem",
             "-CAkey", f"{folder}/ca.key", "-CAcreateserial", "-days", "2",
             "-extfile", f"{folder}/{name}.ext", "-out", f"{folder}/{name}.pem"])


class Product:
    """`name`, its processes (`sip` first, then `media`), and its version in `version`."""

    def __init__(self, folder, core, users):
        self.folder, self.core, self.users = folder, core, users
        self.processes = []
        os.makedirs(folder)

    def start(self, role, command):
        process = Process(role, command, self.core, f"{self.folder}/{role}.log")
        self.processes.append(process)
        return process

    def role(self, role):
        return next(process for process in self.processes if process.role == role)

    def stop(self):
        for process in reversed(self.processes):
            process.stop()
        self.processes = []


SALLYPORT_YAML = """media:
  socket: {folder}/relay.sock
  poll: adaptive
  memory: ordinary
  memory_mb: 512
  sessions: 60000
  cpus: [{core}]
  interfaces:
    - name: lab
      device: "net_af_packet0,iface=lab"
      addresses:
{addresses}
sip:
  address: 127.0.0.1
  port: {sip_port}
  domain: {domain}
  certificate: {tls}/server.pem
  private_key: {tls}/server.key
  ca: {tls}/ca.pem
  users: {folder}/users.db
  bindings: {folder}/bindings.db
  control_socket: {folder}/sip.sock
  digests: [MD5]
  peering: {{address: 127.0.0.1, port: {peering_port}}}
  limits: {{requests_per_second: 100000, known_requests_per_second: 100000, queue: {queue}}}
  records: {{path: {folder}/records/calls.jsonl}}
  trunks:
    - {{name: trunk, address: "127.0.0.1:{trunk_port}", tls_name: {trunk}, ping_s: 0}}
  routes:
    - {{prefix: "+", from: users, to: [trunk]}}
log:
  level: warning
"""


class Sallyport(Product):
    name = "Sallyport"

    def __init__(self, folder, core, users, tls, build):
        super().__init__(folder, core, users)
        self.build = build
        self.config = f"{folder}/sallyport.yaml"
        os.makedirs(f"{folder}/records")
        # one address has 32,256 pairs of ports, and a call takes two
        addresses = "\n".join(f"        - {{address: {MEDIA_ADDRESS[:-1]}{n}/24, "
                              "ports: {first: 1024, last: 65535}}" for n in (1, 2, 3, 4))
        with open(self.config, "w", encoding="ascii") as file:
            file.write(SALLYPORT_YAML.format(
                folder=folder, core=core, tls=tls, domain=DOMAIN, trunk=TRUNK, sip_port=SIP_PORT,
                trunk_port=TRUNK_PORT, peering_port=PEERING_PORT, addresses=addresses, queue=999))
        lines = "".join(json.dumps({"name": user_name(n), "ha1": {"MD5": ha1(n)}}) + "\n"
                        for n in range(users))
        run([f"{build}/relay/sallyctl", "--config", self.config, "user", "import", "-"],
            input=lines, stdin=None)
        self.version = run([f"{build}/control/sallyport-sip", "--version"]).split()[-1]

    def up(self):
        for file in glob.glob(f"{self.folder}/bindings.db*"):
            os.remove(file) # who was registered before is not any more
        media = self.start("media", [f"{self.build}/dataplane/sallyport-media",
                                     "--config", self.config])
        wait_until(media, self.sessions)
        sip = self.start("sip", [f"{self.build}/control/sallyport-sip", "--config", self.config])
        wait_listening(sip, SIP_PORT)

    def stats(self):
        """What sallyport-sip says of itself."""
        said = json.loads(run([f"{self.build}/control/sallyctl-sip", "--socket",
                               f"{self.folder}/sip.sock", "stats", "--json"]))
        return said[0] if isinstance(said, list) else said

    def sessions(self):
        """Media sessions that are installed."""
        return json.loads(run([f"{self.build}/relay/sallyctl", "--socket",
                               f"{self.folder}/relay.sock", "--json", "status"]))["sessions"]


TLS_CFG = """[server:default]
method = TLSv1.2+
certificate = {tls}/server.pem
private_key = {tls}/server.key
[client:default]
method = TLSv1.2+
certificate = {tls}/server.pem
private_key = {tls}/server.key
ca_list = {tls}/ca.pem
verify_certificate = yes
require_certificate = yes
"""

KAMAILIO_CFG = """#!KAMAILIO
log_stderror=yes
children=1
tcp_children={children}
enable_tls=yes
auto_aliases=no
alias="{domain}"
listen=tls:127.0.0.1:{sip_port}
tcp_connection_lifetime=3600
mpath="{modules}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "db_sqlite.so"
loadmodule "auth.so"
loadmodule "auth_db.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "rtpengine.so"
loadmodule "tls.so"
modparam("tls", "config", "{folder}/tls.cfg")
modparam("auth", "qop", "auth")
modparam("auth_db", "db_url", "sqlite:///{folder}/users.db")
modparam("auth_db", "use_domain", 1)
modparam("auth_db", "calculate_ha1", 0)
modparam("auth_db", "password_column", "ha1")
modparam("auth_db", "load_credentials", "")
modparam("usrloc", "hash_size", 16)
modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:{ng_port}")
request_route {{
  if (!mf_process_maxfwd_header("10")) {{
    sl_send_reply("483", "Too Many Hops");
    exit;
  }}
  if (is_method("CANCEL")) {{
    if (t_check_trans()) t_relay();
    exit;
  }}
  if (has_totag()) {{
    if (loose_route()) {{
      if (is_method("BYE")) rtpengine_delete();
      t_relay();
    }} else if (is_method("ACK")) {{
      if (t_check_trans()) t_relay();
    }} else {{
      sl_send_reply("404", "Not Found");
    }}
    exit;
  }}
  t_check_trans();
  if (is_method("REGISTER")) {{
    if (!www_authenticate("{domain}", "subscriber")) {{
      www_challenge("{domain}", "1");
      exit;
    }}
    if ($au != $tU) {{
      sl_send_reply("403", "Forbidden");
      exit;
    }}
    save("location");
    exit;
  }}
  if (!is_method("INVITE")) exit;
  if (!proxy_authenticate("{domain}", "subscriber")) {{
    proxy_challenge("{domain}", "1");
    exit;
  }}
  if ($au != $fU) {{
    sl_send_reply("403", "Forbidden");
    exit;
  }}
  consume_credentials();
  record_route();
  if (!rtpengine_offer("{media}")) {{
    sl_send_reply("503", "No Media");
    exit;
  }}
  t_on_reply("ANSWER");
  $du = "sip:127.0.0.1:{trunk_port};transport=tls";
  if (!t_relay()) sl_reply_error();
}}
onreply_route[ANSWER] {{
  if (has_body("application/sdp")) rtpengine_answer("{media}");
}}
"""
MEDIA_FLAGS = "RTP/SAVP ICE=remove DTLS=off replace-origin replace-session-connection"


class Kamailio(Product):
    name = "Kamailio"

    def __init__(self, folder, core, users, tls, rtpengine, children=4):
        """`rtpengine`: the command, as a list."""
        super().__init__(folder, core, users)
        self.rtpengine = rtpengine
        with open(f"{folder}/tls.cfg", "w", encoding="ascii") as file:
            file.write(TLS_CFG.format(tls=tls))
        with open(f"{folder}/kamailio.cfg", "w", encoding="ascii") as file:
            file.write(KAMAILIO_CFG.format(
                folder=folder, domain=DOMAIN, sip_port=SIP_PORT, trunk_port=TRUNK_PORT,
                ng_port=NG_PORT, media=MEDIA_FLAGS, children=children,
                modules=glob.glob("/usr/lib/*/kamailio/modules")[0]))
        self.make_users()
        versions = (run(["kamailio", "-v"]).split()[2],
                    run([*self.rtpengine, "--version"]).split()[1])
        self.version = f"{versions[0]}, rtpengine {versions[1]}"

    def make_users(self):
        store = sqlite3.connect(f"{self.folder}/users.db")
        for name in ("standard", "auth_db"):
            with open(f"{KAMAILIO_TABLES}/{name}-create.sql", encoding="ascii") as file:
                store.executescript(file.read())
        store.executemany("INSERT INTO subscriber (username, domain, ha1) VALUES (?, ?, ?)",
                          ((user_name(n), DOMAIN, ha1(n)) for n in range(self.users)))
        store.commit()
        store.close()

    def up(self):
        # one thread; no kernel module (table -1); what is deleted is gone at once, as with Sallyport
        self.start("media", [*self.rtpengine, "--config-file=none", "--foreground", "--log-stderr",
                             "--log-level=3", "--table=-1", "--num-threads=1", "--delete-delay=0",
                             "--interface=127.0.0.1", f"--listen-ng=127.0.0.1:{NG_PORT}",
                             "--port-min=10000", "--port-max=65000"])
        sip = self.start("sip", ["kamailio", "-f", f"{self.folder}/kamailio.cfg", "-DD", "-E",
                                 "-m", "1024", "-M", "16", "-Y", self.folder, "-w", self.folder])
        wait_listening(sip, SIP_PORT)
