// escaped.mjs -- text as HTML and XML write it
const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export const escaped = (text) => text.replace(/[&<>"]/g, (character) => ESCAPES[character]);
