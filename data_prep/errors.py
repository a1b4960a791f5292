"""The one error a user can cause: a value, the rule it breaks and the remedy, in one line."""


class UserError(ValueError):
    """Shown as one line without a traceback at the command line."""
