"""imgload: ab's flags and ab's report on locust, real users, an open loop, and plots of what happened when."""

VERSION = "0.1"
