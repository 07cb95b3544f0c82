"""The one exception that is meant for the person at the keyboard."""


class UserError(Exception):
    """Bad input or a missing resource, told in one sentence that says what to do.

    The command line prints the sentence and exits with status 2; the studio shows it inline.
    Anything else that escapes is a fault of the program.
    """
