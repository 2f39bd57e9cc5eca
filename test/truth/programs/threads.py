"""A Python server with a thread for each connection; the script language and the two channels are those of threads.c."""

import collections
import http.client
import json
import os
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

OTLP_PORT = int(os.environ["OTLP_PORT"])
PEER_PORT = int(os.environ["PEER_PORT"])
READ_FILE = os.environ["READ_FILE"]
SERVER, CLIENT = 2, 3
OFFSET = time.time_ns() - time.monotonic_ns()

contended = threading.Lock()
per_thread = threading.local()
finished = collections.deque()


def waited_for_cpu():
    """Time in which this thread was ready and not running, by the scheduler's own count."""
    if not hasattr(per_thread, "schedstat"):
        per_thread.schedstat = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
    return int(os.pread(per_thread.schedstat, 96, 0).split()[1])


class Measure:
    """What the scheduler and the clocks say about a stretch of this thread's time."""

    def __init__(self):
        self.waited = waited_for_cpu()
        self.ran = time.thread_time_ns()
        self.start = time.monotonic_ns()

    def end(self):
        end = time.monotonic_ns()
        return end, time.thread_time_ns() - self.ran, waited_for_cpu() - self.waited


def burn(_span, ms):
    until = time.thread_time_ns() + ms * 1_000_000
    while time.thread_time_ns() < until:
        sum(range(200))


def lock(_span, _ms):
    with contended:
        pass


def read(_span, _ms):
    descriptor = os.open(READ_FILE, os.O_RDONLY)
    while os.read(descriptor, 1 << 20):
        pass
    os.close(descriptor)


def call(server, ms):
    measure = Measure()
    span_id = f"{random.getrandbits(64) | 1:016x}"
    if not hasattr(per_thread, "peer"):
        per_thread.peer = http.client.HTTPConnection("127.0.0.1", PEER_PORT)
    per_thread.peer.request("GET", f"/wait?ms={ms}", headers={"traceparent": f"00-{server['trace']}-{span_id}-01"})
    per_thread.peer.getresponse().read()
    end, cpu, runqueue = measure.end()
    step = {"op": "call", "from": measure.start, "to": end, "cpu": cpu, "runqueue": runqueue}
    finished.append(
        {
            "trace": server["trace"],
            "span": span_id,
            "parent": server["span"],
            "kind": CLIENT,
            "start": measure.start,
            "end": end,
            "cpu": cpu,
            "runqueue": runqueue,
            "tid": threading.get_native_id(),
            "steps": [step],
        }
    )


OPS = {"burn": burn, "lock": lock, "read": read, "call": call, "sleep": lambda _span, ms: time.sleep(ms / 1000)}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True

    def do_GET(self):
        measure = Measure()
        _, trace, parent, _ = self.headers["traceparent"].split("-")
        span = {"trace": trace, "span": f"{random.getrandbits(64) | 1:016x}", "parent": parent, "kind": SERVER, "steps": []}
        for text in parse_qs(urlsplit(self.path).query)["s"][0].split(","):
            op, ms = text.split(":")
            step = Measure()
            OPS[op](span, int(ms))
            end, cpu, runqueue = step.end()
            span["steps"].append({"op": op, "from": step.start, "to": end, "cpu": cpu, "runqueue": runqueue})
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.wfile.flush()
        end, cpu, runqueue = measure.end()
        span |= {"start": measure.start, "end": end, "cpu": cpu, "runqueue": runqueue, "tid": threading.get_native_id()}
        finished.append(span)

    def log_message(self, *_):
        pass


def hinder():
    """Holds the lock that requests wait for, 4 ms of every 6, and takes the file out of memory that they read."""
    descriptor = os.open(READ_FILE, os.O_RDONLY)
    while True:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        with contended:
            time.sleep(0.004)
        time.sleep(0.002)


def export():
    agent = None
    while True:
        time.sleep(0.2)
        told = [finished.popleft() for _ in range(len(finished))]
        if not told:
            continue
        spans = [
            {
                "traceId": span["trace"],
                "spanId": span["span"],
                "parentSpanId": span["parent"],
                "name": "GET /run" if span["kind"] == SERVER else "GET /wait",
                "kind": span["kind"],
                "startTimeUnixNano": str(span["start"] + OFFSET),
                "endTimeUnixNano": str(span["end"] + OFFSET),
            }
            for span in told
        ]
        attributes = [{"key": "service.name", "value": {"stringValue": "truth-python"}}]
        body = {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": spans}]}]}
        agent = agent or http.client.HTTPConnection("127.0.0.1", OTLP_PORT)
        agent.request("POST", "/v1/traces", json.dumps(body), {"content-type": "application/json"})
        agent.getresponse().read()
        for span in told:
            print(json.dumps(span))
        sys.stdout.flush()


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    for work in (hinder, export, server.serve_forever):
        threading.Thread(target=work, daemon=True).start()
    print("READY", server.server_address[1], flush=True)
    sys.stdin.read()
    time.sleep(0.5)
    os._exit(0)


main()
