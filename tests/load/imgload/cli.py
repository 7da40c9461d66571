"""The command: reads the flags, runs the test that they ask for, prints its report, ends as ab would."""

from __future__ import annotations

import socket
import sys

from imgload import VERSION, outcome, timeline
from imgload.options import USAGE, Options, Usage, parse

UNRESOLVED = 670000  # APR's offset for what getaddrinfo says


def main(arguments: list[str]) -> int:
    """0 after a test that ran to its end, whatever it found; otherwise what ab ends with."""
    try:
        options = parse(arguments)
    except Usage as usage:
        print(usage.complaint, file=sys.stderr)
        if usage.usage:
            print(USAGE, end="", file=sys.stderr)
        return usage.code
    if options.shown == "help":
        print(USAGE, end="", file=sys.stderr)
        return 22
    _banner()
    if options.shown == "version":
        return 0
    if complaint := outcome.missing(options):
        print(complaint, file=sys.stderr)
        return 1
    return _people(options) if options.users else _requests(options)


def command() -> None:
    """The console script."""
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:  # before the test had begun; later it ends the test
        sys.exit(1)


def _banner() -> None:
    print(f"This is imgload {VERSION} on locust, with the flags and the report of ApacheBench, Version 2.3")
    print("Copyright The Caption Gallery authors, MIT licence")
    print("ab itself is Licensed to The Apache Software Foundation, http://www.apache.org/")
    print(flush=True)


def _requests(options: Options) -> int:
    """ab's test, or an open loop."""
    host = options.target.host
    print(f"Benchmarking {host} (be patient)", end="\n" if options.heartbeat else "...", flush=True)
    from imgload import report, session  # locust patches the standard library: after the flags have been read
    from imgload.job import Job
    from imgload.openloop import OpenLoop
    from imgload.target import request

    try:
        addresses = session.resolve(options)
    except socket.gaierror as error:
        number = UNRESOLVED - (error.errno or 0)
        print(f"apr_sockaddr_info_get() for {host}: {error.strerror} ({number})", file=sys.stderr)
        return number & 255
    job = (Job if options.rate is None else OpenLoop)(options, request(options), addresses)
    session.run(job)
    if job.failure is not None:
        why, code = job.failure
        print(why, file=sys.stderr, flush=True)
        if job.done:
            print(f"Total of {job.done} requests completed")
        return code & 255 or 1
    if not job.interrupted:
        _done(options, job.done)
    print(report.report(job), end="", flush=True)
    for line in job.epilogue():
        print(line)
    complaint = report.write_files(job) or outcome.save(options, lambda: timeline.of_job(job), job.wall)
    if complaint:
        print(complaint, file=sys.stderr)
    return 1 if complaint or job.interrupted else 0


def _done(options: Options, requests: int) -> None:
    if options.heartbeat:
        print(f"Finished {requests} requests", file=sys.stderr, flush=True)
    else:
        print("..done")


def _people(options: Options) -> int:
    from imgload import people

    return people.run(options)
