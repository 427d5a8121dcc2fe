"""What can go wrong in drills; every message may be shown to the learner."""


class DrillsError(ValueError):
    """The base of all errors of this package: what was expected, what came, the next step."""


class DeckError(DrillsError):
    """A deck cannot be built or written as asked."""


class RecordUnavailableError(DrillsError):
    """The database cannot be reached, is locked, full or broken; trying again is safe."""


class LearnerGoneError(DrillsError):
    """The learner's data were deleted meanwhile, perhaps in another window."""


class CodeRefusedError(DrillsError):
    """No such recovery code, or a newer one replaced it."""


class ScheduleError(DrillsError):
    """A review that cannot be scheduled: no such rating, no time zone, no such wish."""


class UploadError(DrillsError):
    """A file that cannot be taken in; nothing of it was kept."""
