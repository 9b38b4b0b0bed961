"""The errors a user sees, each saying what happened, where, and what to do about it.

::

    LeitongError
    ├── SettingsError        a setting, flag or file that cannot be used
    ├── PrerequisiteError    a program, jar or package that is not there
    ├── SourceError          the log cannot be read or written
    │   ├── AccessRefused    it refuses us: a certificate, a password, a right; for good
    │   └── HungUp           it is there and hangs up: a wrong protocol, or it is about to end
    ├── QueryFailed          the query ended, and trying again did not help
    ├── JobFailed            a batch job ended with an error of Spark's
    ├── JobStopped           a batch job was asked to stop
    ├── ModelsError          models of similar articles that cannot be read or published
    ├── StackError           a server of the local stack that does not start or stop
    └── StoreError           the index refused an operation
        ├── LeaseHeld        another query owns the index
        ├── LeaseLost        another query took the index over
        └── StoreUnavailable the index cannot be reached: an outage, worth trying again

The command line prints their message without a stack trace; anything else that
escapes is a defect of ours and keeps its trace.
"""


class LeitongError(Exception):
    """What happened, where, and what to do about it, in one message."""


class SettingsError(LeitongError):
    """A setting, flag or file that cannot be used as it is."""


class PrerequisiteError(LeitongError):
    """A program, jar or package that has to be installed first."""


class SourceError(LeitongError):
    """A log that cannot be read from or written to."""


class AccessRefused(SourceError):  # noqa: N818 - what the log did
    """Trying again does not help: a certificate, a password or a right has to be mended."""


class HungUp(SourceError):  # noqa: N818 - what the log did
    """A setting that does not fit, if it happens from the start; later on, perhaps an outage."""


class ModelsError(LeitongError):
    """Models of similar articles that are not there, are damaged, or cannot be published."""


class StoreError(LeitongError):
    """An operation that the store refused."""


class LeaseHeld(StoreError):  # noqa: N818 - a state of the index, as the next one
    """Another query owns the index, and lives."""


class LeaseLost(StoreError):  # noqa: N818 - what happened to this query
    """Another query took the index over; whoever sees this must not write any more."""


class StoreUnavailable(StoreError):  # noqa: N818 - a state of the store, named as operators name it
    """The store cannot be reached or did not answer in time; trying again is safe."""
