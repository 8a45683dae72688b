// Handing a request to the composer.

/** Put this request into the composer; `source` is {picture, mask} or null. */
export function fill(body, source = null) {
  document.dispatchEvent(new CustomEvent("ordu:fill", { detail: { body, source, send: false } }));
}
