"""Fills one store with readings, and prints how much it takes: bytes, seconds of CPU, readings.

    python3 stores.py sqlite-fernet|postgresql|influxdb readings.ndjson folder
"""
import glob, http.client, json, os, pwd, resource, socket, sqlite3, subprocess, sys, time

STORE, DATA, FOLDER = sys.argv[1:4]
SERIES = ("battery", "humidity", "temperature")


def rows():
    with open(DATA, encoding="utf-8") as lines:
        for line in lines:
            topic, at, payload = line.rstrip("\n").split("\t")
            yield topic, int(at), payload


def tree_bytes(path):
    # Blocks on the disk: InfluxDB makes files larger than what it has written of them.
    return sum(os.stat(os.path.join(d, f)).st_blocks * 512 for d, _, fs in os.walk(path) for f in fs)


def cpu(who=resource.RUSAGE_SELF):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def done(bytes_, cpu_, count):
    print(json.dumps({"bytes": bytes_, "cpu": cpu_, "count": count}))


def sqlite_fernet():
    """As a Python program does it: a row for each message, its payload a Fernet token."""
    from cryptography.fernet import Fernet

    os.makedirs(FOLDER)
    seal = Fernet(Fernet.generate_key()).encrypt
    base = sqlite3.connect(os.path.join(FOLDER, "readings.db"))
    base.execute("CREATE TABLE reading (id INTEGER PRIMARY KEY, topic TEXT, at INTEGER, payload BLOB)")
    base.execute("CREATE INDEX reading_topic ON reading (topic, at)")
    count = 0
    for topic, at, payload in rows():
        base.execute("INSERT INTO reading (topic, at, payload) VALUES (?, ?, ?)", (topic, at, seal(payload.encode())))
        count += len(SERIES)
        if count % 30_000 == 0:
            base.commit()
    base.commit()
    base.close()
    done(tree_bytes(FOLDER), cpu(), count)


def postgresql():
    """Its own server in a folder: a row for each reading, as time-series tables have them."""
    bin_ = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    user = pwd.getpwnam("postgres")
    os.makedirs(FOLDER)
    os.chmod(os.path.dirname(FOLDER), 0o755)
    os.chown(FOLDER, user.pw_uid, user.pw_gid)

    def as_postgres(*args, **more):
        return subprocess.run(args, user=user.pw_uid, group=user.pw_gid, cwd="/", check=True, capture_output=True, text=True, **more)

    data = os.path.join(FOLDER, "data")
    as_postgres(f"{bin_}/initdb", "-D", data, "-A", "trust")
    as_postgres(f"{bin_}/pg_ctl", "-D", data, "-w", "-l", os.path.join(FOLDER, "log"), "-o", f"-c listen_addresses='' -k {FOLDER}", "start")
    try:
        sql = lambda text, **more: as_postgres("psql", "-h", FOLDER, "-v", "ON_ERROR_STOP=1", "-tAc", text, "postgres", **more).stdout.strip()
        sql("CREATE TABLE reading (at timestamptz NOT NULL, device text NOT NULL, series text NOT NULL, value double precision NOT NULL)")
        sql("CREATE INDEX ON reading (device, series, at)")
        copy = subprocess.Popen(["psql", "-h", FOLDER, "-c", "COPY reading FROM STDIN", "postgres"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, user=user.pw_uid, group=user.pw_gid, cwd="/", text=True)
        count = 0
        for topic, at, payload in rows():
            values, device = json.loads(payload), topic.split("/")[1]
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03}Z"
            for name in SERIES:
                copy.stdin.write(f"{stamp}\t{device}\t{name}\t{values[name]}\n")
                count += 1
        copy.stdin.close()
        if copy.wait() != 0:
            sys.exit("COPY failed")
        sql("VACUUM ANALYZE reading")
        bytes_ = int(sql("SELECT pg_total_relation_size('reading')"))
        used = 0.0
        leader = open(os.path.join(data, "postmaster.pid"), encoding="utf-8").readline().strip()
        fields = open(f"/proc/{leader}/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()
        used = sum(int(fields[at]) for at in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")
    finally:
        as_postgres(f"{bin_}/pg_ctl", "-D", data, "-m", "fast", "-w", "stop")
    done(bytes_, used, count)


def influxdb():
    """Its own server in a folder: a point for each message, the device a tag."""
    os.makedirs(FOLDER)
    port, rpc = free_port(), free_port()
    config = os.path.join(FOLDER, "influxdb.conf")
    with open(config, "w", encoding="utf-8") as out:
        out.write(f"""reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{FOLDER}/meta"
[data]
dir = "{FOLDER}/data"
wal-dir = "{FOLDER}/wal"
index-version = "tsi1"
max-series-per-database = 0
cache-max-memory-size = "2g"
cache-snapshot-write-cold-duration = "5s"
compact-full-write-cold-duration = "5s"
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
""")
    with open(os.path.join(FOLDER, "log"), "w", encoding="utf-8") as log:
        server = subprocess.Popen(["influxd", "-config", config], stdout=log, stderr=log)
    try:
        def send(method, path, body=None):
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            link.request(method, path, body)
            answer = link.getresponse()
            text = answer.read()
            link.close()
            if answer.status >= 300:
                sys.exit(f"{answer.status} {text[:200]!r}")

        for _ in range(100):
            try:
                send("POST", "/query?q=CREATE%20DATABASE%20bench")
                break
            except OSError:
                time.sleep(0.2)
        count, lines = 0, []
        for topic, at, payload in rows():
            values, device = json.loads(payload), topic.split("/")[1]
            fields = ",".join(f"{name}={values[name]}" for name in SERIES)
            lines.append(f"reading,device={device} {fields} {at}")
            count += len(SERIES)
            if len(lines) == 10_000:
                send("POST", "/write?db=bench&precision=ms", "\n".join(lines))
                lines = []
        if lines:
            send("POST", "/write?db=bench&precision=ms", "\n".join(lines))
        # It compacts when nothing has come for a while; until its size stays the same.
        size, same = -1, 0
        end = time.monotonic() + 90
        while same < 4 and time.monotonic() < end:
            time.sleep(5)
            now = tree_bytes(f"{FOLDER}/data") + tree_bytes(f"{FOLDER}/wal")
            same, size = (same + 1 if now == size else 0), now
    finally:
        server.terminate()
        server.wait()
    # What is still in its write-ahead log counts as well.
    done(tree_bytes(f"{FOLDER}/data") + tree_bytes(f"{FOLDER}/wal"), cpu(resource.RUSAGE_CHILDREN), count)


{"sqlite-fernet": sqlite_fernet, "postgresql": postgresql, "influxdb": influxdb}[STORE]()
