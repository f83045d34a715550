# SPDX-License-Identifier: BSD-3-Clause
"""browser.py STATE COMMAND [ARGUMENT]...: a headless Chromium, driven by plain WebDriver calls to a chromedriver
that listens on loopback. STATE is a file that holds the session from one call to the next.

  start PORT PROFILE     a session with the chromedriver at PORT
  go URL
  until SECONDS SCRIPT   waits until the script's value is true; prints it if it never is
  keys KEY...            presses each: Tab, Enter, or a text
  size WIDTH HEIGHT      of the window, in CSS pixels
  colours light|dark     what the system prefers
  shot FILE              a PNG
  stop
"""
import base64
import json
import sys
import time
import urllib.error
import urllib.request

KEYS = {"Tab": "\ue004", "Enter": "\ue007"}


def call(state, method, path, body=None):
    request = urllib.request.Request(
        "http://127.0.0.1:%s/session%s" % (state["port"], path), method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)["value"]
    except urllib.error.HTTPError as error:
        sys.exit("browser.py: %s: %s" % (path, error.read().decode()[:500]))


def devtools(state, command, **parameters):
    return call(state, "POST", "/%s/goog/cdp/execute" % state["id"], {"cmd": command, "params": parameters})


def script(state, text):
    return call(state, "POST", "/%s/execute/sync" % state["id"], {"script": "return " + text, "args": []})


def start(state, port, profile):
    state["port"] = port
    options = {"args": ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                        "--disable-background-networking", "--disable-component-update", "--disable-sync",
                        "--hide-scrollbars", "--force-device-scale-factor=1", "--user-data-dir=" + profile]}
    made = call(state, "POST", "", {"capabilities": {"alwaysMatch": {
        "browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": options}}})
    state["id"] = made["sessionId"]


def until(state, seconds, text):
    deadline = time.monotonic() + float(seconds)
    while True:
        value = script(state, text)
        if value is True:
            return
        if time.monotonic() > deadline:
            sys.exit("browser.py: never true, last %r: %s" % (value, text))
        time.sleep(0.1)


def keys(state, *names):
    actions = []
    for name in names:
        for key in ([KEYS[name]] if name in KEYS else name):
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
    call(state, "POST", "/%s/actions" % state["id"],
         {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})


def main():
    path, command, words = sys.argv[1], sys.argv[2], sys.argv[3:]
    state = {}
    if command != "start":
        with open(path, encoding="ascii") as file:
            state = json.load(file)
    if command == "start":
        start(state, *words)
        with open(path, "w", encoding="ascii") as file:
            json.dump(state, file)
    elif command == "go":
        call(state, "POST", "/%s/url" % state["id"], {"url": words[0]})
    elif command == "until":
        until(state, *words)
    elif command == "keys":
        keys(state, *words)
    elif command == "size":
        devtools(state, "Emulation.setDeviceMetricsOverride", width=int(words[0]), height=int(words[1]),
                 deviceScaleFactor=1, mobile=False)
    elif command == "colours":
        devtools(state, "Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": words[0]}])
    elif command == "shot":
        with open(words[0], "wb") as file:
            file.write(base64.b64decode(call(state, "GET", "/%s/screenshot" % state["id"])))
    elif command == "stop":
        call(state, "DELETE", "/%s" % state["id"])
    else:
        sys.exit(__doc__)


main()
