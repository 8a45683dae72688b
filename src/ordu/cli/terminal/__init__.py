"""Pictures on a terminal: which way it can show them, and the bytes that do.

drawing     from a picture to what is written, for each way; pure functions
detecting   which way this terminal knows: from the environment, else by asking it
previews    what is shown of the pictures of a call, and when not
"""
