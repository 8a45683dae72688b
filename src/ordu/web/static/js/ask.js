// The page Ask: its three parts, which speak to each other by events on the document.
//
// `ordu:asked` {id, body, source, kudos}: a request was placed; `body` as it was sent but for the
//   picture it starts from, which is `source` {picture: Blob, mask: Blob or null} or null.
// `ordu:fill` {body, source, send}: put this into the composer, and with `send` ask for it at once.
import { startComposer } from "./ask/compose.js";
import { startGallery } from "./ask/gallery.js";
import { startUnderway } from "./ask/underway.js";

startComposer();
startUnderway();
startGallery();
