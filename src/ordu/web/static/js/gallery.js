// Pictures and their requests, kept in this browser.

/** Make this part of the page live. */
export function startGallery() {}
