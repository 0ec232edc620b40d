"""Signs readings: takes one JSON object on each line, and gives it with counter, time and signature.

    echo '{"temp": 23.5}' | python3 examples/sign.py ./thermostat-1
"""
import hashlib, hmac, json, pathlib, sys, time

key = bytes.fromhex(pathlib.Path(sys.argv[1], "payload.key").read_text())
start = int(time.time() * 1000)
for number, line in enumerate(sys.stdin):
    body = {**json.loads(line), "ctr": start + number, "ts": start}
    text = json.dumps(body, sort_keys=True)
    sig = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    print(json.dumps({**body, "sig": sig}))
