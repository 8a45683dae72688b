import "./identities.js";
