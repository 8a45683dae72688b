"""The door of programs made for OpenAI's images API: `/v1/…`, as its official packages speak it.

A call goes `calls` → `reading` (or `forms`) → `choosing` and `asking`, which make a request of the
horde's own → `doors.drawing` → `answering` or `streaming`. Fields and what becomes of them stand in
docs/reference/openai.md.
"""
