"""What can happen in a horde: place, claim, settle, end; lanes, presence and chores."""
