"""What was asked for on the command line: ab's short flags, and long ones for what ab cannot do."""

from __future__ import annotations

import base64
import getopt
from dataclasses import dataclass, field, replace
from pathlib import Path

from imgload.target import Target

INVALID = 22  # EINVAL, which ab ends with after its usage text
MOST_CONNECTIONS = 20000  # ab's own limit
TIMED_REQUESTS = 50000  # -t implies as many, unless a later -n says otherwise
HEARTBEAT = 100  # ab says how far it is ten times a test, but not more often than this many requests

FLAGS = "n:c:t:s:p:u:T:C:H:A:P:m:e:g:v:kirlqdSVh"
LONG_FLAGS = ("users=", "rate=", "csv=", "plot=", "aws=", "live", "read-only", "help", "version")

USAGE = """\
Usage: imgload [options] [http[s]://]hostname[:port]/path
Options of ab:
    -n requests     Number of requests to perform
    -c concurrency  Number of multiple requests to make at a time
    -t timelimit    Seconds to max. to spend on benchmarking
                    This implies -n 50000
    -s timeout      Seconds to max. wait for each response
                    Default is 30 seconds
    -p postfile     File containing data to POST. Remember also to set -T
    -u putfile      File containing data to PUT. Remember also to set -T
    -T content-type Content-type header to use for POST/PUT data
                    Default is 'text/plain'
    -m method       Method name
    -i              Use HEAD instead of GET
    -k              Use HTTP KeepAlive feature
    -C attribute    Add cookie, eg. 'Apache=1234'. (repeatable)
    -H attribute    Add Arbitrary header line, eg. 'Accept-Encoding: gzip'
                    Inserted after all normal header lines. (repeatable)
    -A attribute    Add Basic WWW Authentication, user:password
    -P attribute    Add Basic Proxy Authentication, user:password
    -l              Accept variable document length (use this for dynamic pages)
    -r              Don't exit on socket receive errors.
    -e filename     Output CSV file with percentages served
    -g filename     Output collected data to gnuplot format file.
    -q              Do not show progress when doing more than 150 requests
    -d              Do not show percentiles served table.
    -S              Do not show confidence estimators and warnings.
    -v verbosity    Accepted for ab's sake
    -V              Print version number and exit
    -h              Display usage information (this message)
Beyond ab:
    --rate N        Open loop: N requests a second, each timed from when it was due,
                    sent or not; -t seconds (default 60), -c connections at most
    --users N       N people who browse, search, upload and wait for the caption,
                    for -t seconds (default 60); the URL is the gallery's
    --read-only     The people upload nothing
    --csv filename  Requests and percentiles of each second
    --plot filename The same as a picture (PNG)
    --aws group     Under the same axis, the Auto Scaling group's instances and CPU
    --live          A progress line on standard error even where that is no terminal
"""


class Usage(Exception):
    """The command line cannot be used.

    complaint: for standard error. code: what to end with. usage: the usage text follows.
    """

    def __init__(self, complaint: str, *, code: int = INVALID, usage: bool = False) -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.code = code
        self.usage = usage


@dataclass(frozen=True)
class Options:
    """One command line; seconds and requests a second are plain numbers."""

    target: Target = field(default_factory=Target)
    requests: int = 1
    concurrency: int = 1
    time_limit: float | None = None
    timeout: float = 30.0
    method: str = ""
    keep_alive: bool = False
    body: bytes | None = None
    content_type: str = "text/plain"
    cookies: tuple[str, ...] = ()
    authorization: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    any_length: bool = False
    recover: bool = False
    percentages_file: str | None = None
    gnuplot_file: str | None = None
    quiet: bool = False
    percentiles: bool = True
    confidence: bool = True
    rate: float | None = None
    users: int | None = None
    read_only: bool = False
    csv: str | None = None
    plot: str | None = None
    group: str | None = None
    live: bool = False
    shown: str | None = None  # "version" or "help": nothing is run

    @property
    def heartbeat(self) -> int:
        """Requests between two lines of progress; 0 says none."""
        if self.quiet or self.requests <= 150:
            return 0
        return max(HEARTBEAT, self.requests // 10)


def parse(arguments: list[str]) -> Options:
    """The options of ``arguments``. Raises Usage as ab would end."""
    try:
        flags, rest = getopt.getopt(arguments, FLAGS, list(LONG_FLAGS))
    except getopt.GetoptError as error:
        what = "option requires an argument" if "requires" in error.msg else "invalid option"
        complaint = f"imgload: {what} -- {error.opt}\nimgload: wrong number of arguments"
        raise Usage(complaint, usage=True) from error
    options = Options()
    for flag, value in flags:
        options = _with(options, flag, value)
        if options.shown:
            return options
    if len(rest) != 1:
        raise Usage("imgload: wrong number of arguments", usage=True)
    target = Target.parse(rest[0])
    if target is None:
        raise Usage("imgload: invalid URL", usage=True)
    return _checked(
        replace(options, target=target, method=options.method or "GET"), {flag for flag, _ in flags}
    )


_SWITCHES = {
    "-k": "keep_alive",
    "-r": "recover",
    "-l": "any_length",
    "-q": "quiet",
    "--live": "live",
    "--read-only": "read_only",
}
_TEXTS = {
    "-T": "content_type",
    "-e": "percentages_file",
    "-g": "gnuplot_file",
    "--csv": "csv",
    "--plot": "plot",
    "--aws": "group",
}


def _with(options: Options, flag: str, value: str) -> Options:
    """``options`` after one more flag."""
    if flag in _SWITCHES:
        return replace(options, **{_SWITCHES[flag]: True})
    if flag in _TEXTS:
        return replace(options, **{_TEXTS[flag]: value})
    match flag:
        case "-n":
            return replace(options, requests=_count(value, "Invalid number of requests\n", code=1))
        case "-c":
            return replace(options, concurrency=_count(value, "Invalid concurrency"))
        case "-t":
            return replace(options, time_limit=_seconds(value, "timelimit"), requests=TIMED_REQUESTS)
        case "-s":
            return replace(options, timeout=_seconds(value, "timeout"))
        case "--users":
            return replace(options, users=_count(value, "imgload: --users takes a whole number from 1"))
        case "--rate":
            return replace(options, rate=_seconds(value, "rate"))
        case "-i":
            return _method(options, "HEAD")
        case "-m":
            return replace(options, method=value)
        case "-p" | "-u":
            return replace(_method(options, "POST" if flag == "-p" else "PUT"), body=_file(value))
        case "-C":
            return replace(options, cookies=(*options.cookies, value))
        case "-H":
            return replace(options, headers=(*options.headers, value))
        case "-A" | "-P":
            name = "Authorization" if flag == "-A" else "Proxy-Authorization"
            coded = base64.b64encode(value.strip().encode()).decode()
            return replace(options, authorization=(*options.authorization, f"{name}: Basic {coded}"))
        case "-d":
            return replace(options, percentiles=False)
        case "-S":
            return replace(options, confidence=False)
        case "-V" | "--version":
            return replace(options, shown="version")
        case "-h" | "--help":
            return replace(options, shown="help")
    return options  # -v: what ab prints with it is for debugging ab


def _method(options: Options, method: str) -> Options:
    """ab takes one of -i, -p and -u; -m outdoes what stands before it."""
    if options.method:
        raise Usage(f"Cannot mix {method} with other methods\n", code=1)
    return replace(options, method=method)


def _checked(options: Options, given: set[str]) -> Options:
    """Options that fit each other, with the defaults of an open loop or of people where those are meant."""
    if options.concurrency > MOST_CONNECTIONS:
        raise Usage(f"imgload: Invalid Concurrency [Range 0..{MOST_CONNECTIONS}]", usage=True)
    if options.users is not None or options.rate is not None:
        if options.users is not None and options.rate is not None:
            raise Usage("imgload: --users and --rate are two different tests", usage=True)
        return _timed(options, given)
    if options.concurrency > options.requests:
        raise Usage("imgload: Cannot use concurrency level greater than total number of requests", usage=True)
    return options


def _timed(options: Options, given: set[str]) -> Options:
    seconds = options.time_limit or 60.0
    if options.rate is None:
        return replace(options, time_limit=seconds)
    if "-n" in given and "-t" not in given:
        seconds = options.requests / options.rate
    requests = max(1, round(options.rate * seconds))
    connections = options.concurrency if "-c" in given else 1000
    return replace(
        options, time_limit=seconds, requests=requests, concurrency=min(connections, requests), recover=True
    )


def _count(value: str, complaint: str, *, code: int = INVALID) -> int:
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise Usage(complaint, code=code, usage=code == INVALID)
    return int(value)


def _seconds(value: str, what: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise Usage(f"imgload: Invalid {what}", usage=True)
    return number


def _file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise Usage(f"imgload: Could not open POST data file ({name}): {error.strerror}", code=1) from error
